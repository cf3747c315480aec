-- To version 8: predictions, and the power that the device drew in each step. Power is in the traces only: where they are still
-- there, the next gather reads attempts again whose device reports it. upgrade_sums.cc makes the rates of parts of weights from
-- peers afterwards, from the events.

CREATE TABLE power (
  rank_id       INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  n             INTEGER NOT NULL,
  step          INTEGER NOT NULL,
  time_ns       INTEGER NOT NULL,
  energy_mj     INTEGER NOT NULL,
  power_mw      INTEGER NOT NULL,
  sm_clock_mhz  INTEGER NOT NULL,
  temperature_c INTEGER NOT NULL,
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;

UPDATE rank SET trace_sha256 = ''
WHERE id IN (SELECT rank_id FROM environment WHERE name = 'device.power_limit_mw');
UPDATE attempt SET fingerprint = ''
WHERE id IN (SELECT attempt_id FROM rank WHERE trace_sha256 = '');

CREATE TABLE prediction (
  sweep_id       INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
  config         TEXT NOT NULL,
  machine_digest TEXT NOT NULL,
  quantity       TEXT NOT NULL,
  unit           TEXT NOT NULL,
  value          REAL NOT NULL,
  low            REAL NOT NULL,
  high           REAL NOT NULL,
  machine        TEXT NOT NULL,
  machine_source TEXT NOT NULL,
  made_at        TEXT NOT NULL,
  wansweep       TEXT NOT NULL,
  PRIMARY KEY (sweep_id, config, machine_digest, quantity)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 8;
