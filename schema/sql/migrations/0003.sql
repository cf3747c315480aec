-- To version 3: the sums of exchanges and copies are also kept apart by what ran on the other ranks of the host. Afterwards
-- upgrade.cc makes the sums anew from the events.

DROP TABLE traffic;
CREATE TABLE traffic (
  rank_id            INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,
  step               INTEGER NOT NULL,
  kind               INTEGER NOT NULL,
  beside             INTEGER NOT NULL,
  peers              INTEGER NOT NULL,
  events             INTEGER NOT NULL,
  bytes              INTEGER NOT NULL,
  duration_ns        INTEGER NOT NULL,
  hidden_ns          INTEGER NOT NULL,
  with_all_to_all_ns INTEGER NOT NULL,
  with_ring_ns       INTEGER NOT NULL,
  with_h2d_ns        INTEGER NOT NULL,
  with_d2h_ns        INTEGER NOT NULL,
  with_peers_same_ns INTEGER NOT NULL,
  PRIMARY KEY (rank_id, step, kind, beside, peers)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
