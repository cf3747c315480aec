-- To version 6: new tables for the parts of wall time, for rates alone and beside other traffic, for percentiles and for the
-- longest events; and the operations of a run. upgrade_sums.cc makes all of them afterwards, from the events and the settings.

ALTER TABLE run ADD COLUMN product_flop REAL;
ALTER TABLE run ADD COLUMN attention_flop REAL;

CREATE TABLE step_part (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  step                INTEGER NOT NULL,
  compute_ns          INTEGER NOT NULL,
  both_exposed_ns     INTEGER NOT NULL,
  exposed_exchange_ns INTEGER NOT NULL,
  peers_transfer_ns   INTEGER NOT NULL,
  peers_ns            INTEGER NOT NULL,
  exposed_transfer_ns INTEGER NOT NULL,
  host_ns             INTEGER NOT NULL,
  idle_ns             INTEGER NOT NULL,
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE traffic_rate (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
  kind       INTEGER NOT NULL,
  at_once    INTEGER NOT NULL,
  beside     INTEGER NOT NULL,
  events     INTEGER NOT NULL,
  time_ns    INTEGER NOT NULL,
  rate       REAL,
  half_width REAL,
  PRIMARY KEY (attempt_id, kind, at_once, beside)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_spread (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
  kind       INTEGER NOT NULL,
  cause      INTEGER NOT NULL,
  part       INTEGER NOT NULL,
  events     INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  total_ns   INTEGER NOT NULL,
  p50_ns     INTEGER NOT NULL,
  p90_ns     INTEGER NOT NULL,
  p99_ns     INTEGER NOT NULL,
  max_ns     INTEGER NOT NULL,
  PRIMARY KEY (attempt_id, kind, cause, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE largest_event (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
  kind       INTEGER NOT NULL,
  cause      INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  rank_id    INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  event_id   INTEGER NOT NULL,
  moving_ns  INTEGER NOT NULL,
  PRIMARY KEY (attempt_id, kind, cause, n)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 6;
