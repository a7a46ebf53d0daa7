-- Everything that is made or imported has an owner. What was there before is the command line's.
ALTER TABLE jobs        ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';
ALTER TABLE generations ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';
ALTER TABLE images      ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';
ALTER TABLE projects    ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';
ALTER TABLE posts       ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';

-- Calls that may have cost something, nobody knows how much: their model has no price. An unknown cost was kept as
-- none until now; what the sandbox answered cost nothing indeed.
ALTER TABLE reservations ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
UPDATE reservations SET unpriced = sent - limited
    WHERE settled_at IS NOT NULL AND cost = 0 AND sent > limited AND pool NOT LIKE 'sandbox/%'
    AND coalesce(used_input_tokens, 0) + coalesce(used_output_tokens, 0) + coalesce(used_images, 0) > 0;

-- The kinds of jobs, by the names that they have everywhere.
UPDATE jobs SET kind = 'prompts' WHERE kind = 'run';
UPDATE jobs SET kind = 'embeddings' WHERE kind = 'embedding';

-- Images of jobs that were given up are given up.
UPDATE made_images SET state = 'cancelled'
    WHERE state = 'pending' AND job IN (SELECT id FROM jobs WHERE state = 'cancelled');
