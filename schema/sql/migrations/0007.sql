-- To version 7: runs of other engines, whose files tell less than the worker's traces do, so some columns may be null. SQLite
-- can allow nulls in a column only by making its table anew; these tables are small.

CREATE TABLE new_step (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  step        INTEGER NOT NULL,
  expert      INTEGER,
  timestep    INTEGER,
  sigma       REAL,
  start_ns    INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO new_step SELECT rank_id, step, expert, timestep, sigma, start_ns, duration_ns FROM step;
DROP TABLE step;
ALTER TABLE new_step RENAME TO step;

CREATE TABLE new_memory (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  n           INTEGER NOT NULL,
  step        INTEGER NOT NULL,
  time_ns     INTEGER NOT NULL,
  device_used INTEGER NOT NULL,
  device_peak INTEGER NOT NULL,
  host_used   INTEGER,
  host_peak   INTEGER,
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;
INSERT INTO new_memory SELECT rank_id, n, step, time_ns, device_used, device_peak, host_used, host_peak FROM memory;
DROP TABLE memory;
ALTER TABLE new_memory RENAME TO memory;

CREATE TABLE new_step_summary (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  step                INTEGER NOT NULL,
  compute_ns          INTEGER NOT NULL,
  h2d_ns              INTEGER NOT NULL,
  d2h_ns              INTEGER NOT NULL,
  h2d_bytes           INTEGER NOT NULL,
  d2h_bytes           INTEGER NOT NULL,
  exposed_transfer_ns INTEGER NOT NULL,
  stall_weights_ns    INTEGER,
  stall_peers_ns      INTEGER,
  stall_host_ns       INTEGER,
  all_to_all_ns       INTEGER NOT NULL,
  ring_ns             INTEGER NOT NULL,
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO new_step_summary
SELECT rank_id, step, compute_ns, h2d_ns, d2h_ns, h2d_bytes, d2h_bytes, exposed_transfer_ns, stall_weights_ns,
       stall_peers_ns, stall_host_ns, all_to_all_ns, ring_ns
FROM step_summary;
DROP TABLE step_summary;
ALTER TABLE new_step_summary RENAME TO step_summary;

PRAGMA user_version = 7;
