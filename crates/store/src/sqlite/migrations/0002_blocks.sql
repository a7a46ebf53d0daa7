-- A reservation may be for a block of calls, which end one by one.
ALTER TABLE reservations RENAME COLUMN process TO runner;
ALTER TABLE reservations ADD COLUMN calls   INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reservations ADD COLUMN ended   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reservations ADD COLUMN sent    INTEGER NOT NULL DEFAULT 0; -- of those that ended
ALTER TABLE reservations ADD COLUMN limited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reservations ADD COLUMN faulted INTEGER NOT NULL DEFAULT 0;
UPDATE reservations SET
    ended   = 1,
    sent    = CASE WHEN fault IS NOT NULL OR requests > 0 THEN 1 ELSE 0 END,
    limited = CASE WHEN fault = 'limited' THEN 1 ELSE 0 END,
    faulted = CASE WHEN fault <> 'limited' THEN 1 ELSE 0 END
    WHERE settled_at IS NOT NULL;
ALTER TABLE reservations DROP COLUMN fault;

-- The reservation whose call brought the outcome.
ALTER TABLE outcomes ADD COLUMN entry INTEGER;

-- Runs that wait for a pool's limits. Those served least go first.
CREATE TABLE line (
    pool    TEXT    NOT NULL,
    runner  TEXT    NOT NULL,
    urgency INTEGER NOT NULL, -- 0 interactive, 1 batch
    served  INTEGER NOT NULL, -- calls
    until   INTEGER NOT NULL,
    PRIMARY KEY (pool, runner)
) STRICT, WITHOUT ROWID;
