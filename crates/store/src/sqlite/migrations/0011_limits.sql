-- Limits that an administrator has set. They stand in the place of those that the configuration has for the pool.
CREATE TABLE limits_set (
    pool   TEXT    NOT NULL PRIMARY KEY, -- PROVIDER/ACCOUNT/MODEL
    limits TEXT    NOT NULL,             -- JSON: a list of limits as they are written
    set_at INTEGER NOT NULL,
    set_by TEXT    NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;
