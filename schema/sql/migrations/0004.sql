-- To version 4: the first load of weights is an event before step 1 in every mode and has columns of its own; a copy's block
-- is the one that is moved. Older traces had the load of `swap` in step 1 and the computing block beside each copy: what the
-- events tell is recomputed afterwards (upgrade_first_load.cc), the rest is null or -1. Also: whether latents are finite, and
-- the record of the result.

ALTER TABLE rank ADD COLUMN first_load_ns INTEGER;
ALTER TABLE rank ADD COLUMN first_load_bytes INTEGER;
ALTER TABLE attempt ADD COLUMN nonfinite_values INTEGER;
ALTER TABLE attempt ADD COLUMN result_sha256 TEXT;
ALTER TABLE attempt ADD COLUMN result_bytes INTEGER;

PRAGMA user_version = 4;
