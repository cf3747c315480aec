-- To version 2: environments become rows, and exchanges and copies are summed by what ran beside them. Afterwards upgrade.cc
-- makes the sums from the events, and the views anew.

CREATE TABLE environment (
  rank_id INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  name    TEXT NOT NULL,  -- path into rank.environment
  value   TEXT NOT NULL,
  PRIMARY KEY (rank_id, name)
) STRICT, WITHOUT ROWID;

INSERT INTO environment
SELECT r.id, replace(substr(j.fullkey, 3), '"', ''), iif(j.type IN ('true', 'false'), j.type, CAST(j.atom AS TEXT))
FROM rank r
JOIN json_tree(iif(json_valid(r.environment), r.environment, '{}')) j
WHERE j.atom IS NOT NULL;

CREATE TABLE traffic (
  rank_id            INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  step               INTEGER NOT NULL,
  kind               INTEGER NOT NULL,  -- event_kind: all_to_all, ring, h2d, d2h
  beside             INTEGER NOT NULL,  -- 0: the other sort never ran; 1: for less than half of the event's time; 2: for more
  events             INTEGER NOT NULL,
  bytes              INTEGER NOT NULL,
  duration_ns        INTEGER NOT NULL,
  hidden_ns          INTEGER NOT NULL,  -- of it, while compute or attention ran on the rank
  with_all_to_all_ns INTEGER NOT NULL,  -- of it, while an all-to-all ran; its own kind is 0
  with_ring_ns       INTEGER NOT NULL,
  with_h2d_ns        INTEGER NOT NULL,
  with_d2h_ns        INTEGER NOT NULL,
  PRIMARY KEY (rank_id, step, kind, beside)
) STRICT, WITHOUT ROWID;

CREATE TABLE rerun (
  sweep_id    INTEGER PRIMARY KEY REFERENCES sweep (id) ON DELETE CASCADE,
  of_sweep_id INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
  changes     TEXT NOT NULL,  -- "flow_shift=12, resolver=files"
  reason      TEXT NOT NULL,
  made_at     TEXT NOT NULL
) STRICT;


CREATE TABLE slurm_job (
  attempt_id  INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE,
  submission  TEXT NOT NULL,     -- the array's name in Slurm
  array_index INTEGER NOT NULL,
  array_job   INTEGER,           -- its job id; null: Slurm never told one
  slurm_state TEXT,              -- Slurm's own word
  reason      TEXT,              -- why it waited
  nodes       TEXT,
  started_at  TEXT,
  ended_at    TEXT
) STRICT;

CREATE TABLE transition (
  attempt_id  INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,
  n           INTEGER NOT NULL,  -- from 1
  at          TEXT NOT NULL,
  from_state  TEXT,              -- null: the first look
  to_state    TEXT NOT NULL,
  slurm_state TEXT,
  detail      TEXT,
  PRIMARY KEY (attempt_id, n)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
