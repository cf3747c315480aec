-- The results database, version 8 (PRAGMA user_version): every sweep, run and attempt, and what the ranks recorded. Views
-- are in views.sql; how an older version becomes this one, in migrations/.
--
-- Every column says what it holds and, where it is a quantity, in which unit. An id stands for its row and means nothing else.
-- Times of steps, events and memory are nanoseconds on rank 0's clock since the attempt's first step began; what happened
-- before has negative times. Text times are ISO 8601, UTC. Sizes are bytes. Needs SQLite 3.37 with its
-- mathematical functions, which most builds have.

CREATE TABLE sweep (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,  -- by which reruns and views name it
  directory TEXT NOT NULL,         -- from which it was gathered last
  file      TEXT,                  -- the TOML file, as sweep.json names it
  matrix    TEXT                   -- that file's text when the sweep was made
) STRICT;

CREATE TABLE run (
  id              INTEGER PRIMARY KEY,
  sweep_id        INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- whose matrix it is a point of
  name            TEXT NOT NULL,                -- its attempts' directories begin with it
  config          TEXT NOT NULL,                -- hash of all settings: equal for the repeats of one configuration
  repeat          INTEGER NOT NULL,             -- from 1
  work            TEXT,                         -- hash of the settings that say what is computed, not how weights move
  cfg             INTEGER,                      -- parallel plan: groups that split the guidance (1 or 2)
  ulysses         INTEGER,                      -- ranks of a Ulysses group; null: open, and the model was not there to decide
  ring            INTEGER,                      -- ranks of a ring
  expected_switch INTEGER,                      -- first step of the low-noise expert by the settings used; null: none
  catalog_switch  INTEGER,                      -- the same with the catalog's flow_shift and boundary
  superseded_by   INTEGER REFERENCES run (id),  -- the corrected run that replaces this one
  product_flop    REAL,                         -- operations of all matrix products, over steps and ranks; null: not known
  attention_flop  REAL,                         -- operations of attention, likewise (orchestrator/store/sums/operations.h)
  UNIQUE (sweep_id, name)
) STRICT;

CREATE TABLE attempt (
  id             INTEGER PRIMARY KEY,
  run_id         INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,  -- of which it is an execution
  n              INTEGER NOT NULL,  -- from 1
  token          TEXT NOT NULL,     -- written down before submission; also the job's name
  launcher       TEXT,              -- local | slurm
  state          TEXT,              -- the launcher's last word: completed | failed | cancelled | timeout ...; null: none
  exit_code      INTEGER,           -- the worker's own (failure.json), or the launcher's
  signal         INTEGER,           -- number of the signal that ended it; null: none
  complete       INTEGER NOT NULL CHECK (complete IN (0, 1)),  -- 1: record, traces and launcher agree that it finished
  problem        TEXT,              -- why it is not complete, one line
  started_at     TEXT,              -- time, by the launcher
  finished_at    TEXT,              -- time, by the launcher
  latents_digest TEXT,              -- SHA-256 of the final latents
  directory      TEXT NOT NULL,     -- absolute path when it was gathered
  fingerprint    TEXT NOT NULL,     -- of the files gathered: records' hash, and size and time of each trace
  gathered_at    TEXT NOT NULL,     -- time, ISO 8601
  nonfinite_values INTEGER,       -- how many of the final latents, over all ranks, are not finite; null: not counted
  result_sha256  TEXT,              -- of result.safetensors, by completed.json; null: it does not say
  result_bytes   INTEGER,           -- bytes of it
  UNIQUE (run_id, n)
) STRICT;

-- What Slurm said of an attempt, at wansweep's last look.
CREATE TABLE slurm_job (
  attempt_id  INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE,  -- which it executed
  submission  TEXT NOT NULL,     -- the array's name in Slurm
  array_index INTEGER NOT NULL,  -- index in that array, from 0
  array_job   INTEGER,           -- its job id; null: Slurm never told one
  slurm_state TEXT,              -- Slurm's own word
  reason      TEXT,              -- why it waited
  nodes       TEXT,              -- as Slurm names them: "c[01-02]"
  started_at  TEXT,              -- time, by Slurm
  ended_at    TEXT               -- time, by Slurm
) STRICT;

-- Every change of state that a look found, in order.
CREATE TABLE transition (
  attempt_id  INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- whose state changed
  n           INTEGER NOT NULL,  -- from 1
  at          TEXT NOT NULL,     -- time of the look
  from_state  TEXT,              -- null: the first look
  to_state    TEXT NOT NULL,     -- as attempt.state
  slurm_state TEXT,              -- Slurm's own word
  detail      TEXT,              -- why, one line; null: nothing to add
  PRIMARY KEY (attempt_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,  -- whose setting
  name          TEXT NOT NULL,  -- the run spec's word: flow_shift
  value         TEXT,           -- what the loop used; null: not set
  origin        TEXT,           -- user, catalog, file, default, or the resolver's name
  catalog_value TEXT,           -- what the catalog holds to be right; null: it has no say
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rank (
  id                  INTEGER PRIMARY KEY,
  attempt_id          INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- which it took part in
  rank                INTEGER NOT NULL,  -- MPI's number, from 0
  host                TEXT,              -- name of its machine; null: the trace does not say
  clock_offset_ns     INTEGER,           -- ns: rank 0's clock minus this rank's, before the first step
  clock_offset_end_ns INTEGER,           -- ns: the same after the last step; null: not measured
  clock_round_trip_ns INTEGER,           -- ns: the offset is no surer than half of it
  environment         TEXT,              -- the trace's own record, JSON; table environment has its values
  trace_sha256        TEXT NOT NULL,     -- of the file that was gathered, hex
  trace_bytes         INTEGER NOT NULL,  -- bytes of that file
  steps               INTEGER NOT NULL,  -- rows in table step
  events              INTEGER NOT NULL,  -- rows in table event
  memory              INTEGER NOT NULL,  -- rows in table memory
  first_event         INTEGER,           -- event.id from here on, `events` of them, are this rank's
  first_load_ns       INTEGER,           -- ns in copies to the device before step 1; null: not recorded, or not as a whole
  first_load_bytes    INTEGER,           -- bytes that they moved
  UNIQUE (attempt_id, rank)
) STRICT;

-- Where each rank ran and with what, a row a value: "device.name", "git_revision", ...
CREATE TABLE environment (
  rank_id INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- who saw it
  name    TEXT NOT NULL,  -- path into rank.environment
  value   TEXT NOT NULL,  -- as text
  PRIMARY KEY (rank_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose step
  step        INTEGER NOT NULL,  -- from 1
  expert      INTEGER,           -- 1: high noise, 2: low noise; null: another engine's files do not tell
  timestep    INTEGER,           -- int(sigma * 1000); null likewise
  sigma       REAL,              -- noise level, 0 to 1; null likewise
  start_ns    INTEGER NOT NULL,  -- ns since the attempt's first step began
  duration_ns INTEGER NOT NULL,  -- ns
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- Millions of rows, so without an index or foreign key: a rank's are one range of ids (rank.first_event). Ask view `events`.
CREATE TABLE event (
  id          INTEGER PRIMARY KEY,  -- a rank's are one range, in the order recorded
  step        INTEGER NOT NULL,     -- 0: before the first step
  forward     INTEGER NOT NULL,     -- 0: cond, 1: uncond, -1: not part of a forward
  block       INTEGER NOT NULL,     -- transformer layer from 0; -1: not part of one
  kind        INTEGER NOT NULL,     -- event_kind
  cause       INTEGER NOT NULL,     -- stall_cause
  stream      INTEGER NOT NULL,     -- stream
  expert      INTEGER NOT NULL,     -- 1, 2; 0: neither
  start_ns    INTEGER NOT NULL,     -- ns since the attempt's first step began
  duration_ns INTEGER NOT NULL,     -- ns
  bytes       INTEGER NOT NULL      -- bytes moved; 0 for compute and stalls
) STRICT;

CREATE TABLE memory (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose memory
  n           INTEGER NOT NULL,  -- from 1, in the order recorded
  step        INTEGER NOT NULL,  -- at whose end; 0: before the first
  time_ns     INTEGER NOT NULL,  -- ns since the attempt's first step began
  device_used INTEGER NOT NULL,  -- bytes of the device in use
  device_peak INTEGER NOT NULL,  -- bytes: the highest of device_used until then
  host_used   INTEGER,           -- bytes of the host store in use; null: another engine's files do not tell
  host_peak   INTEGER,           -- bytes: the highest of host_used until then
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;

-- What a rank's device drew and ran at when a step ended; no rows where it does not tell. The card's limits are in table
-- environment: device.power_limit_mw, device.clocks_mhz.max_sm.
CREATE TABLE power (
  rank_id       INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose device
  n             INTEGER NOT NULL,  -- from 1, in the order recorded
  step          INTEGER NOT NULL,  -- at whose end; 0: when the first began
  time_ns       INTEGER NOT NULL,  -- ns since the attempt's first step began
  energy_mj     INTEGER NOT NULL,  -- mJ drawn since the driver was loaded
  power_mw      INTEGER NOT NULL,  -- mW over the last moments, as the device averages them
  sm_clock_mhz  INTEGER NOT NULL,  -- MHz of its multiprocessors
  temperature_c INTEGER NOT NULL,  -- degrees Celsius
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;

-- Sums over a rank's events of one step, made while gathering so that questions need not read the events.
CREATE TABLE step_summary (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose events
  step                INTEGER NOT NULL,  -- from 1; 0: before the first step
  compute_ns          INTEGER NOT NULL,  -- ns in compute and attention
  h2d_ns              INTEGER NOT NULL,  -- ns in copies to the device
  d2h_ns              INTEGER NOT NULL,  -- ns in copies to the host
  h2d_bytes           INTEGER NOT NULL,  -- bytes copied to the device
  d2h_bytes           INTEGER NOT NULL,  -- bytes copied to the host
  exposed_transfer_ns INTEGER NOT NULL,  -- ns in h2d or d2h while neither compute nor attention ran on the rank
  stall_weights_ns    INTEGER,           -- ns that the compute stream waited for weights; null: not told (another engine)
  stall_peers_ns      INTEGER,           -- ns that it waited for other ranks; null likewise
  stall_host_ns       INTEGER,           -- ns that it waited for the host; null likewise
  all_to_all_ns       INTEGER NOT NULL,  -- ns in all-to-all exchanges
  ring_ns             INTEGER NOT NULL,  -- ns in ring exchanges
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- Sums over a rank's exchanges and copies of one step, apart by whether the other sort ran at the same time, on the rank
-- itself (beside) and on the other ranks of its host (peers), with whom it may share a link. The other sort: for a copy
-- (h2d, d2h) an exchange (all_to_all, ring), for an exchange a copy. Made while gathering.
CREATE TABLE traffic (
  rank_id            INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose exchanges and copies
  step               INTEGER NOT NULL,  -- from 1; 0: before the first step
  kind               INTEGER NOT NULL,  -- event_kind: all_to_all, ring, h2d, d2h
  beside             INTEGER NOT NULL,  -- 0: the other sort never ran; 1: for less than half of the event's time; 2: for more
  peers              INTEGER NOT NULL,  -- the same of the other ranks of the host
  events             INTEGER NOT NULL,  -- how many
  bytes              INTEGER NOT NULL,  -- bytes moved
  duration_ns        INTEGER NOT NULL,  -- ns, summed
  hidden_ns          INTEGER NOT NULL,  -- ns of it, while compute or attention ran on the rank
  with_all_to_all_ns INTEGER NOT NULL,  -- ns of it, while an all-to-all ran on the rank; its own kind is 0
  with_ring_ns       INTEGER NOT NULL,  -- ns of it, while a ring exchange ran on the rank
  with_h2d_ns        INTEGER NOT NULL,  -- ns of it, while a copy to the device ran on the rank
  with_d2h_ns        INTEGER NOT NULL,  -- ns of it, while a copy to the host ran on the rank
  with_peers_same_ns INTEGER NOT NULL,  -- ns of it, while another rank of the host had one of the same kind
  PRIMARY KEY (rank_id, step, kind, beside, peers)
) STRICT, WITHOUT ROWID;

-- A rank's wall time of one step: every nanosecond is in one part. A step goes on until the rank's next one begins, the
-- first begins with the attempt's first, the last ends with its last: a rank's parts add up to attempt_time.total_ns. Each
-- part leaves out what the ones before it have. Made while gathering, as are the tables that follow.
CREATE TABLE step_part (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- whose time
  step                INTEGER NOT NULL,  -- from 1
  compute_ns          INTEGER NOT NULL,  -- ns in which compute or attention ran on the rank
  both_exposed_ns     INTEGER NOT NULL,  -- ns in which an exchange moved data, and a copy ran
  exposed_exchange_ns INTEGER NOT NULL,  -- ns in which an exchange moved data
  peers_transfer_ns   INTEGER NOT NULL,  -- ns of waiting for other ranks, while a copy ran
  peers_ns            INTEGER NOT NULL,  -- ns of waiting for other ranks, in an exchange that the last had not begun, too
  exposed_transfer_ns INTEGER NOT NULL,  -- ns in which a copy ran, or the compute stream waited for weights
  host_ns             INTEGER NOT NULL,  -- ns of waiting for the host
  idle_ns             INTEGER NOT NULL,  -- ns of none of these
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- How fast one rank moved data, by what ran at the same time: least squares over all events of steps 1 and later, each with
-- the time that it spent in each condition (orchestrator/store/sums/traffic_rates.h). The other sort: for a copy (h2d, d2h)
-- and for parts of weights from peers (weight_parts) an exchange that moved data, for an exchange (all_to_all, ring) a copy.
CREATE TABLE traffic_rate (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- whose events
  kind       INTEGER NOT NULL,  -- event_kind: all_to_all, ring, h2d, d2h, weight_parts
  at_once    INTEGER NOT NULL,  -- ranks of the node that copied the same way, this one too; 0: however many
  beside     INTEGER NOT NULL,  -- the other sort ran 0: on no rank of the node; 1: on the rank; 2: on others of the node only
  events     INTEGER NOT NULL,  -- that spent any of their time so
  time_ns    INTEGER NOT NULL,  -- ns that they spent so, summed over them
  rate       REAL,              -- bytes a second; null: the events do not tell
  half_width REAL,              -- of the 95 % confidence interval, bytes a second; null: it takes two steps
  PRIMARY KEY (attempt_id, kind, at_once, beside)
) STRICT, WITHOUT ROWID;

-- How long the events of all ranks last, steps 1 and later. A percentile is the shortest duration that so many of a
-- hundred do not exceed.
CREATE TABLE event_spread (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- whose events
  kind       INTEGER NOT NULL,  -- event_kind
  cause      INTEGER NOT NULL,  -- stall_cause
  part       INTEGER NOT NULL,  -- of an exchange 1: since the last rank had begun it; 2: before that; 0: the whole event
  events     INTEGER NOT NULL,  -- how many
  bytes      INTEGER NOT NULL,  -- bytes moved
  total_ns   INTEGER NOT NULL,  -- ns, summed
  p50_ns     INTEGER NOT NULL,  -- ns: the median
  p90_ns     INTEGER NOT NULL,  -- ns
  p99_ns     INTEGER NOT NULL,  -- ns
  max_ns     INTEGER NOT NULL,  -- ns: the longest
  PRIMARY KEY (attempt_id, kind, cause, part)
) STRICT, WITHOUT ROWID;

-- The longest single events of each kind and cause, steps 1 and later.
CREATE TABLE largest_event (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- whose event
  kind       INTEGER NOT NULL,  -- event_kind
  cause      INTEGER NOT NULL,  -- stall_cause
  n          INTEGER NOT NULL,  -- from 1, the longest
  rank_id    INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- on which it ran
  event_id   INTEGER NOT NULL,  -- its row in table event
  moving_ns  INTEGER NOT NULL,  -- ns of an exchange since the last rank had begun it; 0: of any other event
  PRIMARY KEY (attempt_id, kind, cause, n)
) STRICT, WITHOUT ROWID;

-- A sweep made to correct another (orchestrator/store/lineage.h): why, and what was set. Which run replaces
-- which is run.superseded_by; view `lineage` has both.
CREATE TABLE rerun (
  sweep_id    INTEGER PRIMARY KEY REFERENCES sweep (id) ON DELETE CASCADE,  -- the correction
  of_sweep_id INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- the sweep that it corrects
  changes     TEXT NOT NULL,  -- "flow_shift=12, resolver=files"
  reason      TEXT NOT NULL,  -- a person's words
  made_at     TEXT NOT NULL   -- time, ISO 8601
) STRICT;

-- What runs were predicted to take (wansweep predict --dir), before or after they ran. Nothing here was measured of them;
-- query prediction_error sets it against what was.
CREATE TABLE prediction (
  sweep_id       INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- in whose directory it was kept
  config         TEXT NOT NULL,  -- as run.config: of which runs it was made
  machine_digest TEXT NOT NULL,  -- SHA-256 of the machine's file that it was made from, hex
  quantity       TEXT NOT NULL,  -- total | median_step | spike | exposed_transfer | first_load | device_memory | host_memory
  unit           TEXT NOT NULL,  -- s | bytes
  value          REAL NOT NULL,  -- in that unit
  low            REAL NOT NULL,  -- 10 % of values are predicted below
  high           REAL NOT NULL,  -- 10 % above
  machine        TEXT NOT NULL,  -- the machine's name
  machine_source TEXT NOT NULL,  -- probe: measured there; facts: written by hand
  made_at        TEXT NOT NULL,  -- time, ISO 8601
  wansweep       TEXT NOT NULL,  -- version and revision that predicted
  PRIMARY KEY (sweep_id, config, machine_digest, quantity)
) STRICT, WITHOUT ROWID;

-- Names of the numbers in event.kind, event.cause and event.stream.
CREATE TABLE event_kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO event_kind VALUES (0, 'compute'), (1, 'attention'), (2, 'all_to_all'), (3, 'ring'), (4, 'h2d'), (5, 'd2h'),
                              (6, 'stall'), (7, 'switch'), (8, 'weight_parts');
CREATE TABLE stall_cause (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO stall_cause VALUES (0, 'none'), (1, 'weights'), (2, 'peers'), (3, 'host');
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO stream VALUES (0, 'compute'), (1, 'copy'), (2, 'comm'), (3, 'peers');

PRAGMA user_version = 8;
