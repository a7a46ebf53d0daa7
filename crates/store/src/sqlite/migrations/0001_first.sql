-- Times are microseconds since the Unix epoch, UTC; money is billionths of a US dollar; yes and no are 1 and 0.

CREATE TABLE jobs (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('open', 'parked', 'stopped', 'cancelled', 'done')),
    note       TEXT,
    resume_at  INTEGER,
    settings   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_by_age ON jobs (created_at, id);

-- A job's items are numbered from 0 without gaps, and none is ever removed.
CREATE TABLE items (
    job     TEXT    NOT NULL REFERENCES jobs (id),
    seq     INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    lane    TEXT    NOT NULL,
    payload TEXT    NOT NULL,
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

-- No foreign key here or in the ledger: both are written thousands of times a second, by the engine, for
-- items that it has read from this database.
CREATE TABLE outcomes (
    job      TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    status   TEXT    NOT NULL CHECK (status IN ('done', 'blocked', 'failed')),
    fault    TEXT,             -- the kind, where it failed
    body     TEXT    NOT NULL, -- the result, the reason or the message
    attempts INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;
-- Counting a job's outcomes must not read their bodies.
CREATE INDEX outcomes_by_status ON outcomes (job, status);

-- The ledger. Rows are never removed, so that ids only grow and costs can be reported by job and day.
-- The amounts are what was reserved, and once settled what counts.
CREATE TABLE reservations (
    id                 INTEGER PRIMARY KEY,
    pool               TEXT    NOT NULL,
    job                TEXT    NOT NULL,
    lane               TEXT    NOT NULL,
    process            TEXT    NOT NULL,
    items              TEXT    NOT NULL, -- a JSON array of the seqs
    requests           INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    images             INTEGER NOT NULL,
    usd                INTEGER NOT NULL,
    at                 INTEGER NOT NULL,
    leave_by           INTEGER NOT NULL,
    left_at            INTEGER,
    settled_at         INTEGER,
    fault              TEXT,
    used_input_tokens  INTEGER,
    used_output_tokens INTEGER,
    used_images        INTEGER,
    cost               INTEGER NOT NULL DEFAULT 0,
    estimated          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX reservations_by_pool ON reservations (pool, leave_by);
CREATE INDEX reservations_by_job ON reservations (job);

-- Limits that refusals have taught, by what they count over what time ("requests=1/60s").
CREATE TABLE lessons (
    pool  TEXT    NOT NULL,
    scope TEXT    NOT NULL,
    lim   TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (pool, scope)
) STRICT;

CREATE TABLE projects (
    name       TEXT    NOT NULL PRIMARY KEY,
    finder     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE posts (
    project    TEXT    NOT NULL REFERENCES projects (name),
    id         TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    followers  INTEGER NOT NULL,
    posted_at  INTEGER NOT NULL,
    likes      INTEGER NOT NULL,
    replies    INTEGER NOT NULL,
    reposts    INTEGER NOT NULL,
    views      INTEGER NOT NULL,
    lang       TEXT,
    url        TEXT    NOT NULL,
    revision   INTEGER NOT NULL, -- 1, and 1 more with each change
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project, id)
) STRICT;
CREATE INDEX posts_by_age ON posts (project, posted_at, id);

-- Which posts a job answers. While the job is not over, no other job may claim them.
CREATE TABLE claims (
    project TEXT NOT NULL,
    post    TEXT NOT NULL,
    job     TEXT NOT NULL REFERENCES jobs (id),
    PRIMARY KEY (project, post, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE scores (
    project        TEXT    NOT NULL,
    post           TEXT    NOT NULL,
    velocity       REAL    NOT NULL,
    relevance      REAL    NOT NULL,
    openness       REAL    NOT NULL,
    author_quality REAL    NOT NULL,
    total          REAL    NOT NULL,
    label          TEXT    NOT NULL,
    topic          TEXT    NOT NULL,
    detail         TEXT    NOT NULL,
    embedder       TEXT    NOT NULL,
    scored_at      INTEGER NOT NULL,
    PRIMARY KEY (project, post)
) STRICT;

-- Answers and drafts refer to posts without a foreign key: what was paid for is saved even if its post
-- was removed meanwhile.
CREATE TABLE answers (
    project TEXT    NOT NULL,
    post    TEXT    NOT NULL,
    job     TEXT    NOT NULL,
    status  TEXT    NOT NULL CHECK (status IN ('drafted', 'blocked', 'failed')),
    detail  TEXT,
    at      INTEGER NOT NULL,
    PRIMARY KEY (project, post, job)
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    project     TEXT    NOT NULL,
    post        TEXT    NOT NULL,
    job         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    rank        INTEGER NOT NULL,
    text        TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'exported', 'posted', 'skipped')),
    rejected_by TEXT    CHECK (rejected_by IN ('filter', 'review')),
    reason      TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (project, post, job, kind)
) STRICT;
-- A project's drafts are listed in the order of their numbers, page by page.
CREATE INDEX drafts_by_project ON drafts (project, number);

CREATE TABLE vectors (
    embedder TEXT NOT NULL,
    hash     TEXT NOT NULL,
    bytes    BLOB NOT NULL,
    PRIMARY KEY (embedder, hash)
) STRICT;
