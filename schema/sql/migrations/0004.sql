-- To version 4: in every mode the first load of weights is an event before step 1, with columns of its own, and a copy's block
-- is the block that is moved. Older traces have the load of `swap` in step 1, and beside each copy the block that computed
-- meanwhile: upgrade_first_load.cc recomputes afterwards what the events tell, and the rest is null or -1. New columns say
-- whether the latents are finite, and what completed.json says of the result.

ALTER TABLE rank ADD COLUMN first_load_ns INTEGER;
ALTER TABLE rank ADD COLUMN first_load_bytes INTEGER;
ALTER TABLE attempt ADD COLUMN nonfinite_values INTEGER;
ALTER TABLE attempt ADD COLUMN result_sha256 TEXT;
ALTER TABLE attempt ADD COLUMN result_bytes INTEGER;

PRAGMA user_version = 4;
