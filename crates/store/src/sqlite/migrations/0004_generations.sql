-- Images that were made, and how.

-- What was asked for: a prompt as it was written, and the plan by which it is made, as JSON. A plan that nothing was
-- made by yet has no time of submission.
CREATE TABLE generations (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL,
    prompt TEXT NOT NULL,
    plan TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    submitted_at INTEGER
) STRICT;

CREATE INDEX generations_by_time ON generations (created_at DESC, id DESC);

-- Each image of each side, from the moment it is asked for. `job` and `seq` name the item of the latest try.
CREATE TABLE made_images (
    id TEXT PRIMARY KEY,
    generation TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    side TEXT NOT NULL,
    place INTEGER NOT NULL,
    model TEXT NOT NULL,
    job TEXT NOT NULL,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    kind TEXT,
    message TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    hash TEXT,
    format TEXT,
    width INTEGER,
    height INTEGER,
    bytes INTEGER,
    cost INTEGER,
    cost_estimated INTEGER NOT NULL DEFAULT 0,
    provenance TEXT,
    liked INTEGER NOT NULL DEFAULT 0,
    note TEXT,
    promoted TEXT,
    created_at INTEGER NOT NULL,
    made_at INTEGER
) STRICT;

CREATE INDEX made_images_by_generation ON made_images (generation, side, place);
CREATE INDEX made_images_by_time ON made_images (created_at DESC, id DESC);
CREATE INDEX made_images_by_hash ON made_images (hash);
CREATE UNIQUE INDEX made_images_by_item ON made_images (job, seq);
