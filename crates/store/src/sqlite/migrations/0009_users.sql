-- People, and how they prove who they are. No secret is kept: passwords are hashed by argon2id, everything else that
-- opens a door is 256 random bits, of which the BLAKE3 hash stands here.

CREATE TABLE users (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE, -- in small letters: what is typed to sign in
    shown       TEXT    NOT NULL,        -- what others see
    role        TEXT    NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
    password    TEXT,                    -- of whoever signs in by one
    day_budget  INTEGER,                 -- the most that their work may cost in a day
    disabled_at INTEGER,
    created_at  INTEGER NOT NULL
) STRICT;
-- What the command line makes is this user's; on a machine that nobody else uses, they are its administrator.
INSERT INTO users (id, name, shown, role, created_at) VALUES ('local', 'local', 'This machine', 'admin', 0);

-- Who somebody is to a provider of OpenID Connect: the subject, never an address, which changes hands.
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id),
    email      TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

-- Sign-ins that are under way at a provider of OpenID Connect. Whoever comes back has to be the browser that went.
CREATE TABLE sign_ins (
    state      TEXT    NOT NULL PRIMARY KEY, -- the hash of what the provider brings back
    binding    TEXT    NOT NULL,             -- the hash of what the browser keeps
    provider   TEXT    NOT NULL,
    nonce      TEXT    NOT NULL,
    verifier   TEXT    NOT NULL,
    return_to  TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions of browsers and tokens of programs.
CREATE TABLE credentials (
    id           TEXT    NOT NULL PRIMARY KEY, -- by which it is listed and revoked
    secret       TEXT    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL CHECK (kind IN ('session', 'token')),
    user_id      TEXT    NOT NULL REFERENCES users (id),
    name         TEXT    NOT NULL,             -- of a token what it is for, of a session which browser
    scopes       TEXT    NOT NULL,             -- names with a space between
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle         INTEGER,                      -- it ends when it was not used for so long
    expires_at   INTEGER
) STRICT;
CREATE INDEX credentials_by_user ON credentials (user_id);

-- Links that work once: for the first administrator, for people who are invited, for a forgotten password.
CREATE TABLE links (
    secret     TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('first', 'invite', 'reset')),
    role       TEXT    NOT NULL,
    user_id    TEXT,                           -- whose password is set anew
    made_by    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done to people and to what opens doors.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    user_id TEXT    NOT NULL, -- who did it
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL, -- to whom or what
    address TEXT              -- from where
) STRICT;

-- Requests that cost something: the same one, sent again, is the same job.
CREATE TABLE requests (
    user_id    TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body       TEXT    NOT NULL, -- the hash of what was asked for
    job        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_age ON requests (created_at);

-- Pictures that somebody gave as a reference, a mask or something to be edited, and other files that work is made of.
CREATE TABLE uploads (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('picture', 'prompts')),
    format     TEXT    NOT NULL,
    width      INTEGER,
    height     INTEGER,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_by_owner ON uploads (owner, created_at, id);
CREATE INDEX uploads_by_hash ON uploads (hash);

-- Which image of a pair somebody prefers.
CREATE TABLE preferences (
    generation TEXT    NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    place      INTEGER NOT NULL,
    user_id    TEXT    NOT NULL,
    side       TEXT,             -- none: neither
    blind      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (generation, place, user_id)
) STRICT, WITHOUT ROWID;

-- What is to become of a job, where a server works on it: 'run', 'pause' or 'cancel'. A job of the command line says
-- nothing: whoever submitted it works on it.
ALTER TABLE jobs ADD COLUMN wanted TEXT CHECK (wanted IN ('run', 'pause', 'cancel'));
CREATE INDEX jobs_wanted ON jobs (state, created_at) WHERE wanted IS NOT NULL;
CREATE INDEX jobs_by_owner ON jobs (owner, created_at, id);

-- What others may look at. Projects of the command line are everybody's, as they were.
ALTER TABLE generations    ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects       ADD COLUMN shared INTEGER NOT NULL DEFAULT 1;
ALTER TABLE trash_projects ADD COLUMN shared INTEGER NOT NULL DEFAULT 1;
CREATE INDEX generations_by_owner ON generations (owner, created_at, id);

-- Images of the library are logged with everything else that changes.
CREATE TABLE changes_before AS SELECT number, topic, key, detail FROM changes;
DROP TABLE changes;
CREATE TABLE changes (
    number INTEGER NOT NULL PRIMARY KEY,
    topic  TEXT    NOT NULL CHECK (topic IN ('job', 'items', 'image', 'draft', 'quota', 'library')),
    key    TEXT    NOT NULL,
    detail TEXT
) STRICT;
INSERT INTO changes (number, topic, key, detail) SELECT number, topic, key, detail FROM changes_before;
DROP TABLE changes_before;
CREATE TRIGGER library_changed AFTER INSERT ON library_changes BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'library', NEW.image FROM scopes WHERE scope = 'changes';
END;
