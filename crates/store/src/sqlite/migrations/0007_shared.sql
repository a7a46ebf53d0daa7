-- What several processes, and one day several machines, have to agree about.

-- What is decided by one at a time: whoever has changed a scope's row has it until its batch is done. `last_at` is the
-- latest time that was stamped in it, so that time never goes back; `number` numbers what happens in it.
CREATE TABLE scopes (
    scope   TEXT    NOT NULL PRIMARY KEY,
    last_at INTEGER NOT NULL DEFAULT 0,
    number  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO scopes (scope) VALUES ('changes'), ('changes-forgotten');

-- Who works on a job, or has something else for itself. The row stays when nobody has it: its epoch only grows.
CREATE TABLE leases (
    name    TEXT    NOT NULL PRIMARY KEY,
    epoch   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    since   INTEGER NOT NULL,
    host    TEXT    NOT NULL, -- empty where nobody has it
    pid     INTEGER NOT NULL,
    started INTEGER NOT NULL  -- when that process began, in its system's own count: numbers of processes come again
) STRICT, WITHOUT ROWID;

-- Settlements of blocks of calls, until the block is settled as a whole: one that is written again changes nothing.
CREATE TABLE settlements (
    entry INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    PRIMARY KEY (entry, id)
) STRICT, WITHOUT ROWID;

-- What pools are like, as JSON.
CREATE TABLE habits (
    pool   TEXT NOT NULL PRIMARY KEY,
    habits TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What became different, numbered in the order in which it became durable. `key` names it within its topic; of items,
-- `detail` lists the places.
CREATE TABLE changes (
    number INTEGER NOT NULL PRIMARY KEY,
    topic  TEXT    NOT NULL CHECK (topic IN ('job', 'items', 'image', 'draft', 'quota')),
    key    TEXT    NOT NULL,
    detail TEXT
) STRICT;

-- Written by the database itself, so that no change of a row can be left out. Items are the journal's to log, many at
-- a time.
CREATE TRIGGER jobs_made AFTER INSERT ON jobs BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'job', NEW.id FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER jobs_changed AFTER UPDATE ON jobs BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'job', NEW.id FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER made_images_made AFTER INSERT ON made_images BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'image', NEW.id FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER made_images_changed AFTER UPDATE ON made_images BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'image', NEW.id FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER made_images_gone AFTER DELETE ON made_images BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'image', OLD.id FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER drafts_made AFTER INSERT ON drafts BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key)
        SELECT number, 'draft', CAST(NEW.number AS TEXT) FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER drafts_changed AFTER UPDATE ON drafts BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key)
        SELECT number, 'draft', CAST(NEW.number AS TEXT) FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER drafts_gone AFTER DELETE ON drafts BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key)
        SELECT number, 'draft', CAST(OLD.number AS TEXT) FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER lessons_made AFTER INSERT ON lessons BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'quota', NEW.pool FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER lessons_changed AFTER UPDATE ON lessons BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'quota', NEW.pool FROM scopes WHERE scope = 'changes';
END;
CREATE TRIGGER lessons_gone AFTER DELETE ON lessons BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key) SELECT number, 'quota', OLD.pool FROM scopes WHERE scope = 'changes';
END;
-- An item whose outcome is dropped is to be asked for again.
CREATE TRIGGER outcomes_gone AFTER DELETE ON outcomes BEGIN
    UPDATE scopes SET number = number + 1 WHERE scope = 'changes';
    INSERT INTO changes (number, topic, key, detail)
        SELECT number, 'items', OLD.job, '[' || OLD.seq || ']' FROM scopes WHERE scope = 'changes';
END;

-- Where a run in line began: one that was served nothing since goes level with a newcomer, and not behind it.
ALTER TABLE line ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
