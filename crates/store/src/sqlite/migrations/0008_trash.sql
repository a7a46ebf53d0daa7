-- What was deleted, kept for a time. Each table of what can be deleted has a twin that its rows go to; twins have no
-- keys of other tables, as what they refer to may be gone by then.
CREATE TABLE trash (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('image', 'collection', 'made-image', 'posts', 'project')),
    name       TEXT    NOT NULL, -- what was deleted: an id, or a project's name
    label      TEXT    NOT NULL, -- by which a person knows it
    owner      TEXT    NOT NULL,
    items      INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX trash_by_time ON trash (deleted_at, id);

-- An image that was tried again with another prompt was made by that.
ALTER TABLE made_images ADD COLUMN written TEXT;

CREATE TABLE trash_images            AS SELECT '' AS trash, * FROM images            WHERE 0;
CREATE TABLE trash_image_tags        AS SELECT '' AS trash, * FROM image_tags        WHERE 0;
CREATE TABLE trash_image_collections AS SELECT '' AS trash, * FROM image_collections WHERE 0;
CREATE TABLE trash_image_vectors     AS SELECT '' AS trash, * FROM image_vectors     WHERE 0;
CREATE TABLE trash_image_sources     AS SELECT '' AS trash, * FROM image_sources     WHERE 0;
CREATE TABLE trash_collections       AS SELECT '' AS trash, * FROM collections       WHERE 0;
CREATE TABLE trash_made_images       AS SELECT '' AS trash, * FROM made_images       WHERE 0;
CREATE TABLE trash_projects          AS SELECT '' AS trash, * FROM projects          WHERE 0;
CREATE TABLE trash_posts             AS SELECT '' AS trash, * FROM posts             WHERE 0;
CREATE TABLE trash_scores            AS SELECT '' AS trash, * FROM scores            WHERE 0;
CREATE TABLE trash_claims            AS SELECT '' AS trash, * FROM claims            WHERE 0;
CREATE TABLE trash_answers           AS SELECT '' AS trash, * FROM answers           WHERE 0;
CREATE TABLE trash_drafts            AS SELECT '' AS trash, * FROM drafts            WHERE 0;
CREATE INDEX trash_images_by_trash            ON trash_images            (trash);
CREATE INDEX trash_images_by_hash             ON trash_images            (hash);
CREATE INDEX trash_image_tags_by_trash        ON trash_image_tags        (trash);
CREATE INDEX trash_image_collections_by_trash ON trash_image_collections (trash);
CREATE INDEX trash_image_vectors_by_trash     ON trash_image_vectors     (trash);
CREATE INDEX trash_image_sources_by_trash     ON trash_image_sources     (trash);
CREATE INDEX trash_collections_by_trash       ON trash_collections       (trash);
CREATE INDEX trash_made_images_by_trash       ON trash_made_images       (trash);
CREATE INDEX trash_made_images_by_hash        ON trash_made_images       (hash);
CREATE INDEX trash_projects_by_trash          ON trash_projects          (trash);
CREATE INDEX trash_posts_by_trash             ON trash_posts             (trash);
CREATE INDEX trash_scores_by_trash            ON trash_scores            (trash);
CREATE INDEX trash_claims_by_trash           ON trash_claims           (trash);
CREATE INDEX trash_answers_by_trash           ON trash_answers           (trash);
CREATE INDEX trash_drafts_by_trash            ON trash_drafts            (trash);

-- Files of made images that no row names any more, and that are still to be deleted.
CREATE TABLE made_garbage (
    hash TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Images that look nearly the same, and that a person wants to keep both: the smaller id first.
CREATE TABLE kept_apart (
    one   TEXT NOT NULL,
    other TEXT NOT NULL,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
