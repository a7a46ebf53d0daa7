-- The image library. What an image looks like is a file, named by the hash of its bytes; here is what is known
-- of it. The same bytes are never kept twice.
CREATE TABLE images (
    id          TEXT    NOT NULL PRIMARY KEY,
    hash        TEXT    NOT NULL UNIQUE, -- BLAKE3 of the file, in hex
    filename    TEXT    NOT NULL,
    caption     TEXT,
    category    TEXT,
    tone_score  REAL,
    angle_score REAL,
    attributes  TEXT    NOT NULL, -- a JSON object
    width       INTEGER NOT NULL, -- as it is shown: its orientation applied
    height      INTEGER NOT NULL,
    format      TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    palette     TEXT    NOT NULL, -- a JSON array of colours, "#rrggbb"
    phash       INTEGER NOT NULL,
    taken_at    INTEGER,
    added_at    INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    uploader    TEXT,
    source      TEXT,             -- where it was imported from
    provenance  TEXT,             -- JSON, for what was made here
    text_hash   TEXT,             -- the hash of the words that are embedded for it, where it has any
    revision    INTEGER NOT NULL  -- 1, and 1 more with each change
) STRICT;
CREATE INDEX images_by_age ON images (added_at, id);
-- All of them are read when an import begins: that must not read the rows.
CREATE INDEX images_by_phash ON images (id, phash);

CREATE TABLE image_tags (
    image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    tag   TEXT NOT NULL,
    PRIMARY KEY (image, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tags_by_tag ON image_tags (tag, image);

CREATE TABLE collections (
    name       TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE image_collections (
    image      TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    collection TEXT NOT NULL REFERENCES collections (name) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (image, collection)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_collections_by_collection ON image_collections (collection, image);

-- Vectors of images, by what made them and the space that they lie in.
CREATE TABLE image_vectors (
    embedder TEXT NOT NULL,
    space    TEXT NOT NULL CHECK (space IN ('text', 'look', 'appearance')),
    image    TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    made_of  TEXT NOT NULL, -- the hash of what was embedded: of the words or of the file
    bytes    BLOB NOT NULL,
    PRIMARY KEY (embedder, space, image)
) STRICT;
CREATE INDEX image_vectors_by_image ON image_vectors (image);

-- Files that were imported, so that an import that is begun again need not read them.
CREATE TABLE image_sources (
    path        TEXT    NOT NULL PRIMARY KEY,
    bytes       INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    image       TEXT    NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    likeness    TEXT    NOT NULL CHECK (likeness IN ('same', 'near'))
) STRICT;
CREATE INDEX image_sources_by_image ON image_sources (image);

-- What those who index images have to look at, in order. An image stands here once, at its last change, so
-- that the log grows with the library and not with its edits.
CREATE TABLE library_changes (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    image TEXT    NOT NULL UNIQUE,
    kind  TEXT    NOT NULL CHECK (kind IN ('put', 'remove'))
) STRICT;

-- Files of images that were removed, until they are deleted.
CREATE TABLE library_garbage (
    hash TEXT NOT NULL PRIMARY KEY
) STRICT;
