-- How far images are embedded: of all whose last change has a number up to this one, every image that can have a
-- vector of this embedder in this space has it.
CREATE TABLE embedded (
    embedder TEXT    NOT NULL,
    space    TEXT    NOT NULL CHECK (space IN ('text', 'look', 'appearance')),
    upto     INTEGER NOT NULL,
    PRIMARY KEY (embedder, space)
) STRICT, WITHOUT ROWID;
