-- The results database, version 10 (PRAGMA user_version): every sweep, run and attempt, and what the ranks recorded. views.sql
-- has the views; migrations/ has the steps from each older version to this one.
--
-- Each column's comment says what it holds and, for a quantity, in which unit. An id identifies its row and means nothing else.
-- Times of steps, events and memory are nanoseconds on rank 0's clock since the attempt's first step began; times before that
-- are negative. Text times are ISO 8601, UTC. Sizes are bytes. The database needs SQLite 3.37 with its mathematical functions,
-- which most builds have.

CREATE TABLE sweep (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,  -- the name that reruns, views and --sweep use
  directory TEXT NOT NULL,         -- the sweep's directory when it was last gathered
  file      TEXT,                  -- the TOML file, as sweep.json names it
  matrix    TEXT                   -- that file's text when the sweep was made
) STRICT;

CREATE TABLE run (
  id              INTEGER PRIMARY KEY,
  sweep_id        INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- the sweep of which this run is one point
  name            TEXT NOT NULL,                -- the name with which the directories of its attempts begin
  config          TEXT NOT NULL,                -- hash of all settings: equal for the repeats of one configuration
  repeat          INTEGER NOT NULL,             -- from 1
  work            TEXT,                         -- hash of the settings that say what is computed, not how weights move
  cfg             INTEGER,                      -- parallel plan: groups that split the guidance (1 or 2)
  ulysses         INTEGER,                      -- ranks of a Ulysses group; null: depends on the model, which was missing
  ring            INTEGER,                      -- ranks of a ring
  expected_switch INTEGER,                      -- first step of the low-noise expert by the settings used; null: none
  catalog_switch  INTEGER,                      -- the same with the catalog's flow_shift and boundary
  superseded_by   INTEGER REFERENCES run (id),  -- the corrected run that replaces this one
  product_flop    REAL,                         -- operations of all matrix products, over steps and ranks; null: not known
  attention_flop  REAL,                         -- operations of attention, as above (orchestrator/store/sums/operations.h)
  UNIQUE (sweep_id, name)
) STRICT;

CREATE TABLE attempt (
  id             INTEGER PRIMARY KEY,
  run_id         INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,  -- the run that this attempt executed
  n              INTEGER NOT NULL,  -- number among the run's attempts, from 1
  token          TEXT NOT NULL,     -- name that is written down before the submission; also the job's name
  launcher       TEXT,              -- local | slurm
  state          TEXT,              -- the launcher's last word: completed | failed | cancelled | timeout ...; null: none
  exit_code      INTEGER,           -- exit code of the worker (failure.json), or else of the launcher
  signal         INTEGER,           -- number of the signal that ended the attempt; null: none
  complete       INTEGER NOT NULL CHECK (complete IN (0, 1)),  -- 1: record, traces and launcher agree that the attempt finished
  problem        TEXT,              -- why the attempt is not complete, one line
  started_at     TEXT,              -- time of the start, by the launcher
  finished_at    TEXT,              -- time of the end, by the launcher
  latents_digest TEXT,              -- SHA-256 of the final latents
  directory      TEXT NOT NULL,     -- absolute path of the attempt when it was gathered
  fingerprint    TEXT NOT NULL,     -- identifies the gathered files: hash of the records, and size and time of each trace
  gathered_at    TEXT NOT NULL,     -- time of gathering, ISO 8601
  nonfinite_values INTEGER,       -- how many of the final latents, over all ranks, are not finite; null: not counted
  result_sha256  TEXT,              -- SHA-256 of result.safetensors, by completed.json; null: not recorded
  result_bytes   INTEGER,           -- bytes of result.safetensors
  UNIQUE (run_id, n)
) STRICT;

-- What Slurm said of an attempt when wansweep last asked.
CREATE TABLE slurm_job (
  attempt_id  INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt that the job executed
  submission  TEXT NOT NULL,     -- the array's name in Slurm
  array_index INTEGER NOT NULL,  -- index in that array, from 0
  array_job   INTEGER,           -- Slurm's id of the array; null: Slurm never told one
  slurm_state TEXT,              -- Slurm's own word
  reason      TEXT,              -- Slurm's reason why the job waited
  nodes       TEXT,              -- nodes, as Slurm names them: "c[01-02]"
  started_at  TEXT,              -- time of the start, by Slurm
  ended_at    TEXT               -- time of the end, by Slurm
) STRICT;

-- Every change of an attempt's state that wansweep found when it asked Slurm, in order.
CREATE TABLE transition (
  attempt_id  INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt whose state changed
  n           INTEGER NOT NULL,  -- number of the change, from 1
  at          TEXT NOT NULL,     -- time at which wansweep asked
  from_state  TEXT,              -- state before; null: the first answer
  to_state    TEXT NOT NULL,     -- state after, in the words of attempt.state
  slurm_state TEXT,              -- Slurm's own word
  detail      TEXT,              -- why the state changed, one line; null: nothing to add
  PRIMARY KEY (attempt_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  run_id        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,  -- the run that has this setting
  name          TEXT NOT NULL,  -- name in the run's settings, such as flow_shift
  value         TEXT,           -- the value that the loop used; null: not set
  origin        TEXT,           -- where the value comes from: user, catalog, file, default, or the resolver's name
  catalog_value TEXT,           -- the model's official value by the catalog; null: the catalog has none
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rank (
  id                  INTEGER PRIMARY KEY,
  attempt_id          INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt that the rank took part in
  rank                INTEGER NOT NULL,  -- MPI's number of the rank, from 0
  host                TEXT,              -- name of the rank's machine; null: the trace does not say
  clock_offset_ns     INTEGER,           -- ns: rank 0's clock minus this rank's, before the first step
  clock_offset_end_ns INTEGER,           -- ns: the same, measured again after the last step; null: not measured
  clock_round_trip_ns INTEGER,           -- ns: round trip of that measurement; the offset is uncertain by half of it
  environment         TEXT,              -- JSON that the trace holds on machine and software; table environment has its values one by one
  trace_sha256        TEXT NOT NULL,     -- SHA-256 of the trace that was gathered, hex
  trace_bytes         INTEGER NOT NULL,  -- bytes of that trace
  steps               INTEGER NOT NULL,  -- number of the rank's rows in table step
  events              INTEGER NOT NULL,  -- number of the rank's rows in table event
  memory              INTEGER NOT NULL,  -- number of the rank's rows in table memory
  first_event         INTEGER,           -- id of the rank's first event; its ids are `events` consecutive numbers
  first_load_ns       INTEGER,           -- ns in copies to the device before step 1; null: not recorded, or recorded in part only
  first_load_bytes    INTEGER,           -- bytes that these copies moved
  UNIQUE (attempt_id, rank)
) STRICT;

-- On what each rank ran: one row for each value, such as "device.name" or "git_revision".
CREATE TABLE environment (
  rank_id INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank that found this value
  name    TEXT NOT NULL,  -- path of the value in rank.environment
  value   TEXT NOT NULL,  -- the value, as text
  PRIMARY KEY (rank_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE step (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank
  step        INTEGER NOT NULL,  -- from 1
  expert      INTEGER,           -- 1: high noise, 2: low noise; null: another engine's files do not tell
  timestep    INTEGER,           -- int(sigma * 1000); null: as for expert
  sigma       REAL,              -- noise level, 0 to 1; null: as for expert
  start_ns    INTEGER NOT NULL,  -- ns since the attempt's first step began
  duration_ns INTEGER NOT NULL,  -- ns from the step's start to its end
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- A sweep has millions of events, so this table has no index and no foreign key: the rows of a rank have consecutive ids, from
-- rank.first_event on. Query the view `events` instead.
CREATE TABLE event (
  id          INTEGER PRIMARY KEY,  -- consecutive within a rank, in the order recorded
  step        INTEGER NOT NULL,     -- number of the step; 0: before the first step
  forward     INTEGER NOT NULL,     -- 0: cond, 1: uncond, -1: not part of a forward
  block       INTEGER NOT NULL,     -- transformer layer, from 0; -1: not part of a layer
  kind        INTEGER NOT NULL,     -- number in table event_kind
  cause       INTEGER NOT NULL,     -- number in table stall_cause
  stream      INTEGER NOT NULL,     -- number in table stream
  expert      INTEGER NOT NULL,     -- 1: high noise, 2: low noise; 0: neither
  start_ns    INTEGER NOT NULL,     -- ns since the attempt's first step began
  duration_ns INTEGER NOT NULL,     -- ns from the event's start to its end
  bytes       INTEGER NOT NULL      -- bytes moved; 0 for compute and stalls
) STRICT;

CREATE TABLE memory (
  rank_id     INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank
  n           INTEGER NOT NULL,  -- number of the sample, from 1, in the order recorded
  step        INTEGER NOT NULL,  -- the step at whose end the sample was taken; 0: before the first step
  time_ns     INTEGER NOT NULL,  -- ns since the attempt's first step began, at the sample
  device_used INTEGER NOT NULL,  -- bytes of device memory in use
  device_peak INTEGER NOT NULL,  -- bytes: the highest of device_used until then
  host_used   INTEGER,           -- bytes of host memory that the host store uses; null: another engine's files do not tell
  host_peak   INTEGER,           -- bytes: the highest of host_used until then
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;

-- Power, clock and temperature of a rank's device at the end of each step. There are no rows for devices that do not report
-- them. The card's limits are in table environment: device.power_limit_mw, device.clocks_mhz.max_sm.
CREATE TABLE power (
  rank_id       INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank
  n             INTEGER NOT NULL,  -- number of the sample, from 1, in the order recorded
  step          INTEGER NOT NULL,  -- the step at whose end the sample was taken; 0: at the start of the first step
  time_ns       INTEGER NOT NULL,  -- ns since the attempt's first step began, at the sample
  energy_mj     INTEGER NOT NULL,  -- mJ drawn since the driver was loaded
  power_mw      INTEGER NOT NULL,  -- mW, averaged by the device over the last moments
  sm_clock_mhz  INTEGER NOT NULL,  -- MHz of the multiprocessors' clock
  temperature_c INTEGER NOT NULL,  -- degrees Celsius
  PRIMARY KEY (rank_id, n)
) STRICT, WITHOUT ROWID;

-- Sums over the events of one step of a rank. They are made by gather, so that queries need not read the events.
CREATE TABLE step_summary (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank
  step                INTEGER NOT NULL,  -- from 1; 0: before the first step
  compute_ns          INTEGER NOT NULL,  -- ns in compute and attention
  h2d_ns              INTEGER NOT NULL,  -- ns in copies to the device
  d2h_ns              INTEGER NOT NULL,  -- ns in copies to the host
  h2d_bytes           INTEGER NOT NULL,  -- bytes copied to the device
  d2h_bytes           INTEGER NOT NULL,  -- bytes copied to the host
  exposed_transfer_ns INTEGER NOT NULL,  -- ns in h2d or d2h while neither compute nor attention ran on the rank
  stall_weights_ns    INTEGER,           -- ns in which the compute stream waited for weights; null: another engine's files do not tell
  stall_peers_ns      INTEGER,           -- ns in which the compute stream waited for other ranks; null: as above
  stall_host_ns       INTEGER,           -- ns in which the compute stream waited for the host; null: as above
  all_to_all_ns       INTEGER NOT NULL,  -- ns in all-to-all exchanges
  ring_ns             INTEGER NOT NULL,  -- ns in ring exchanges
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- Sums over the exchanges and copies of one step of a rank, kept apart by whether the opposite sort of traffic ran at the same
-- time: on the rank itself (beside), and on the other ranks of its host (peers), which may share a link with it. The opposite
-- sort of a copy (h2d, d2h) is an exchange (all_to_all, ring), and that of an exchange is a copy. gather makes these sums.
CREATE TABLE traffic (
  rank_id            INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank that made the exchanges and copies
  step               INTEGER NOT NULL,  -- from 1; 0: before the first step
  kind               INTEGER NOT NULL,  -- number in table event_kind: all_to_all, ring, h2d or d2h
  beside             INTEGER NOT NULL,  -- the opposite sort ran 0: never; 1: for less than half of the event's time; 2: for longer
  peers              INTEGER NOT NULL,  -- the same as beside, on the other ranks of the host
  events             INTEGER NOT NULL,  -- number of events
  bytes              INTEGER NOT NULL,  -- bytes that they moved
  duration_ns        INTEGER NOT NULL,  -- ns that they took, summed
  hidden_ns          INTEGER NOT NULL,  -- ns of duration_ns in which compute or attention ran on the rank
  with_all_to_all_ns INTEGER NOT NULL,  -- ns of duration_ns in which an all-to-all ran on the rank; 0 where kind is all_to_all
  with_ring_ns       INTEGER NOT NULL,  -- ns of duration_ns in which a ring exchange ran on the rank; 0 where kind is ring
  with_h2d_ns        INTEGER NOT NULL,  -- ns of duration_ns in which a copy to the device ran on the rank; 0 where kind is h2d
  with_d2h_ns        INTEGER NOT NULL,  -- ns of duration_ns in which a copy to the host ran on the rank; 0 where kind is d2h
  with_peers_same_ns INTEGER NOT NULL,  -- ns of duration_ns in which another rank of the host had an event of the same kind
  PRIMARY KEY (rank_id, step, kind, beside, peers)
) STRICT, WITHOUT ROWID;

-- The wall time of one step of a rank, in parts: every nanosecond is in exactly one part, and each part leaves out what the
-- parts above it have. A step lasts until the rank's next step begins; the first begins with the attempt's first step, and the
-- last ends with the attempt's last. So a rank's parts add up to attempt_time.total_ns. gather makes this table and the ones
-- below.
CREATE TABLE step_part (
  rank_id             INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank
  step                INTEGER NOT NULL,  -- from 1
  compute_ns          INTEGER NOT NULL,  -- ns in which compute or attention ran
  both_exposed_ns     INTEGER NOT NULL,  -- ns in which an exchange moved data while a copy ran
  exposed_exchange_ns INTEGER NOT NULL,  -- ns in which an exchange moved data
  peers_transfer_ns   INTEGER NOT NULL,  -- ns of waiting for other ranks, while a copy ran
  peers_ns            INTEGER NOT NULL,  -- ns of waiting for other ranks, also inside an exchange that its last rank had not begun
  exposed_transfer_ns INTEGER NOT NULL,  -- ns in which a copy ran, or the compute stream waited for weights
  host_ns             INTEGER NOT NULL,  -- ns of waiting for the host
  idle_ns             INTEGER NOT NULL,  -- ns of none of these: launching work, and what is not recorded
  PRIMARY KEY (rank_id, step)
) STRICT, WITHOUT ROWID;

-- How fast one rank moved data, by what ran at the same time: a least-squares fit over all events of steps 1 and later, each
-- with the time that it spent in each condition (orchestrator/store/sums/traffic_rates.h). The opposite sort of a copy (h2d,
-- d2h) and of parts of weights from peers (weight_parts) is an exchange that moved data; that of an exchange (all_to_all, ring)
-- is a copy. A rate that the events do not tell to 15 % is null (orchestrator/store/sums/told_rates.h).
CREATE TABLE traffic_rate (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt
  kind       INTEGER NOT NULL,  -- number in table event_kind: all_to_all, ring, h2d, d2h or weight_parts
  at_once    INTEGER NOT NULL,  -- number of the node's ranks that copied this way at the same time, this one too; 0: any number
  beside     INTEGER NOT NULL,  -- the opposite sort ran 0: on no rank of the node; 1: on this rank; 2: on its other ranks only
  events     INTEGER NOT NULL,  -- number of events that spent any of their time in this condition
  time_ns    INTEGER NOT NULL,  -- ns that the events spent in this condition, summed
  rate       REAL,              -- bytes a second; null: the events do not tell it
  half_width REAL,              -- bytes a second: half of the 95 % confidence interval, or of what the fastest event allows; null: events of one step
  PRIMARY KEY (attempt_id, kind, at_once, beside)
) STRICT, WITHOUT ROWID;

-- How long the events of all ranks last, steps 1 and later. The p-th percentile is the shortest duration that p % of the events
-- do not exceed.
CREATE TABLE event_spread (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt
  kind       INTEGER NOT NULL,  -- number in table event_kind
  cause      INTEGER NOT NULL,  -- number in table stall_cause
  part       INTEGER NOT NULL,  -- part of an exchange: 1: after its last rank had begun it; 2: before that; 0: the whole event
  events     INTEGER NOT NULL,  -- number of events
  bytes      INTEGER NOT NULL,  -- bytes that they moved
  total_ns   INTEGER NOT NULL,  -- ns that they took, summed
  p50_ns     INTEGER NOT NULL,  -- ns: the median
  p90_ns     INTEGER NOT NULL,  -- ns: the 90th percentile
  p99_ns     INTEGER NOT NULL,  -- ns: the 99th percentile
  max_ns     INTEGER NOT NULL,  -- ns: the longest
  PRIMARY KEY (attempt_id, kind, cause, part)
) STRICT, WITHOUT ROWID;

-- The longest single events of each kind and cause, steps 1 and later.
CREATE TABLE largest_event (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id) ON DELETE CASCADE,  -- the attempt
  kind       INTEGER NOT NULL,  -- number in table event_kind
  cause      INTEGER NOT NULL,  -- number in table stall_cause
  n          INTEGER NOT NULL,  -- place in the order of duration; 1: the longest
  rank_id    INTEGER NOT NULL REFERENCES rank (id) ON DELETE CASCADE,  -- the rank on which the event ran
  event_id   INTEGER NOT NULL,  -- the row in table event
  moving_ns  INTEGER NOT NULL,  -- ns of an exchange after its last rank had begun it; 0: any other event
  PRIMARY KEY (attempt_id, kind, cause, n)
) STRICT, WITHOUT ROWID;

-- A sweep that was made to correct another one (orchestrator/store/lineage.h), with the reason and the changed settings.
-- run.superseded_by says which run replaces which; view `lineage` has both.
CREATE TABLE rerun (
  sweep_id    INTEGER PRIMARY KEY REFERENCES sweep (id) ON DELETE CASCADE,  -- the correction
  of_sweep_id INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- the sweep that it corrects
  changes     TEXT NOT NULL,  -- the changed settings: "flow_shift=12, resolver=files"
  reason      TEXT NOT NULL,  -- why, in a person's words
  made_at     TEXT NOT NULL   -- time of making the sweep, ISO 8601
) STRICT;

-- What runs were predicted to take (wansweep predict --dir), before or after they ran. None of these values was measured; query
-- prediction_error compares them with what was measured.
CREATE TABLE prediction (
  sweep_id       INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- the sweep in whose directory the prediction was kept
  config         TEXT NOT NULL,  -- the runs that it is about: those with this run.config
  machine_digest TEXT NOT NULL,  -- SHA-256 of the file of the machine that it was made for, hex
  quantity       TEXT NOT NULL,  -- total | median_step | spike | exposed_transfer | first_load | device_memory | host_memory
  unit           TEXT NOT NULL,  -- s | bytes
  value          REAL NOT NULL,  -- the prediction, in that unit
  low            REAL NOT NULL,  -- 10 % of values are predicted to lie below
  high           REAL NOT NULL,  -- 10 % of values are predicted to lie above
  machine        TEXT NOT NULL,  -- the machine's name
  machine_source TEXT NOT NULL,  -- probe: the machine was measured; facts: its file was written by hand
  made_at        TEXT NOT NULL,  -- time of the prediction, ISO 8601
  wansweep       TEXT NOT NULL,  -- version and revision of wansweep that made it
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

PRAGMA user_version = 10;
