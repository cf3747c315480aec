-- The results database, version 5 (PRAGMA user_version): every sweep, run and attempt, and what the ranks recorded. Views
-- are in views.sql; how an older version becomes this one, in migrations/.
--
-- Every column says what it holds and, where it is a quantity, in which unit. An id stands for its row and means nothing else.
-- Times of steps, events and memory are nanoseconds on rank 0's clock since the attempt's first step began; what happened
-- before has negative times. Text times are ISO 8601, UTC. Sizes are bytes. Needs SQLite 3.37.

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
  expert      INTEGER NOT NULL,  -- 1: high noise, 2: low noise
  timestep    INTEGER NOT NULL,  -- int(sigma * 1000)
  sigma       REAL NOT NULL,     -- noise level, 0 to 1
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
  host_used   INTEGER NOT NULL,  -- bytes of the host store in use
  host_peak   INTEGER NOT NULL,  -- bytes: the highest of host_used until then
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
  stall_weights_ns    INTEGER NOT NULL,  -- ns that the compute stream waited for weights
  stall_peers_ns      INTEGER NOT NULL,  -- ns that it waited for other ranks
  stall_host_ns       INTEGER NOT NULL,  -- ns that it waited for the host
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

-- A sweep made to correct another (orchestrator/store/lineage.h): why, and what was set. Which run replaces
-- which is run.superseded_by; view `lineage` has both.
CREATE TABLE rerun (
  sweep_id    INTEGER PRIMARY KEY REFERENCES sweep (id) ON DELETE CASCADE,  -- the correction
  of_sweep_id INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,  -- the sweep that it corrects
  changes     TEXT NOT NULL,  -- "flow_shift=12, resolver=files"
  reason      TEXT NOT NULL,  -- a person's words
  made_at     TEXT NOT NULL   -- time, ISO 8601
) STRICT;

-- Names of the numbers in event.kind, event.cause and event.stream.
CREATE TABLE event_kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO event_kind VALUES (0, 'compute'), (1, 'attention'), (2, 'all_to_all'), (3, 'ring'), (4, 'h2d'), (5, 'd2h'),
                              (6, 'stall'), (7, 'switch'), (8, 'weight_parts');
CREATE TABLE stall_cause (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO stall_cause VALUES (0, 'none'), (1, 'weights'), (2, 'peers'), (3, 'host');
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO stream VALUES (0, 'compute'), (1, 'copy'), (2, 'comm'), (3, 'peers');

PRAGMA user_version = 5;
-- What the questions in analysis/ are asked of. Views hold no data: they are made anew whenever they differ from these.

-- Events with names in place of numbers. A `WHERE attempt_id = ...` reads that attempt's rows only.
CREATE VIEW events AS
SELECT r.attempt_id, r.rank, e.id, e.step, e.forward, e.block, k.name AS kind, c.name AS cause, s.name AS stream, e.expert,
       e.start_ns, e.duration_ns, e.bytes
FROM rank r
CROSS JOIN event e ON e.id BETWEEN r.first_event AND r.first_event + r.events - 1
JOIN event_kind k ON k.id = e.kind
JOIN stall_cause c ON c.id = e.cause
JOIN stream s ON s.id = e.stream;

-- The newest complete attempt of each run.
CREATE VIEW newest_attempt AS
SELECT a.*
FROM attempt a
WHERE a.complete = 1 AND a.n = (SELECT max(b.n) FROM attempt b WHERE b.run_id = a.run_id AND b.complete = 1);

-- The same without the runs that another supersedes: what questions are answered from.
CREATE VIEW current_attempt AS
SELECT a.*
FROM newest_attempt a
JOIN run r ON r.id = a.run_id
WHERE r.superseded_by IS NULL;

-- Settings that say how weights move, not what is computed.
CREATE VIEW offload_option AS
SELECT column1 AS name FROM (VALUES ('offload'), ('prefetch'), ('host_memory'), ('device_memory'));

-- Settings that say how the ranks are spread; the parallel plan stands for them.
CREATE VIEW parallel_option AS
SELECT column1 AS name FROM (VALUES ('cfg_parallel'), ('ulysses'), ('ring'));

-- Settings that are not the same in all runs of a sweep: the axes of its matrix, and what followed from them.
CREATE VIEW varying_setting AS
SELECT r.sweep_id, s.name
FROM run r
JOIN setting s ON s.run_id = r.id
GROUP BY r.sweep_id, s.name
HAVING count(DISTINCT s.value) + max(s.value IS NULL) > 1;

-- One row a run, by the names people use. configuration: what is computed, told by the settings that vary in the sweep;
-- the plan stands for those that make it. plan: Ulysses x ring ranks, "2x" in front when the guidance is split. offload:
-- how weights move, with its options.
CREATE VIEW run_settings AS
WITH plan AS (
  SELECT r.id AS run_id,
         iif(r.cfg > 1, r.cfg || 'x', '') || coalesce(r.ulysses, '?') || 'x' || coalesce(r.ring, '?') AS plan,
         r.sweep_id IN (SELECT v.sweep_id FROM varying_setting v JOIN parallel_option USING (name)) AS varies
  FROM run r
), label AS (
  SELECT run_id, group_concat(name || ' ' || coalesce(value, '-'), ', ') AS label
  FROM (SELECT s.run_id, s.name, s.value
        FROM setting s
        JOIN run r ON r.id = s.run_id
        JOIN varying_setting v ON v.sweep_id = r.sweep_id AND v.name = s.name
        WHERE s.name NOT IN (SELECT name FROM offload_option UNION ALL SELECT name FROM parallel_option)
        ORDER BY s.run_id, s.name <> 'ranks', s.name)
  GROUP BY run_id
)
SELECT r.id AS run_id, r.sweep_id, p.name AS sweep, r.name AS run, r.repeat, r.work, r.cfg, r.ulysses, r.ring,
       g.plan,
       max(s.value) FILTER (WHERE s.name = 'model_id') AS model_id,
       max(s.value) FILTER (WHERE s.name = 'size') AS size,
       CAST(max(s.value) FILTER (WHERE s.name = 'frames') AS INTEGER) AS frames,
       CAST(max(s.value) FILTER (WHERE s.name = 'ranks') AS INTEGER) AS ranks,
       CAST(max(s.value) FILTER (WHERE s.name = 'flow_shift') AS REAL) AS flow_shift,
       max(s.value) FILTER (WHERE s.name = 'sigma_schedule') AS schedule,
       CAST(max(s.value) FILTER (WHERE s.name = 'device_memory') AS REAL) AS device_memory_gib,
       CASE WHEN g.varies THEN coalesce(l.label || ', ', '') || 'plan ' || g.plan
            ELSE coalesce(l.label, 'all') END AS configuration,
       max(s.value) FILTER (WHERE s.name = 'offload')
         || CASE WHEN max(s.value) FILTER (WHERE s.name = 'offload') = 'layerwise'
                  AND max(s.value) FILTER (WHERE s.name = 'prefetch') <> '0'
                 THEN ' prefetch ' || max(s.value) FILTER (WHERE s.name = 'prefetch') ELSE '' END
         || CASE WHEN max(s.value) FILTER (WHERE s.name = 'offload') <> 'resident'
                  AND max(s.value) FILTER (WHERE s.name = 'host_memory') = 'pageable'
                 THEN ' pageable' ELSE '' END
         || CASE WHEN max(s.value) FILTER (WHERE s.name = 'offload') <> 'resident'
                 THEN CASE WHEN max(s.value) FILTER (WHERE s.name = 'host_store') = 'shared' THEN ' shared' ELSE '' END
                   || CASE max(s.value) FILTER (WHERE s.name = 'cooperative')
                        WHEN 'on' THEN ' cooperative' WHEN 'auto' THEN ' cooperative auto' ELSE '' END
                   || CASE max(s.value) FILTER (WHERE s.name = 'yield_to_collectives')
                        WHEN 'on' THEN ' yields' WHEN 'auto' THEN ' yields auto' ELSE '' END
                   || coalesce(' chunks ' || nullif(max(s.value) FILTER (WHERE s.name = 'chunk_bytes'), '0'), '')
                 ELSE '' END AS offload
FROM run r
JOIN sweep p ON p.id = r.sweep_id
JOIN plan g ON g.run_id = r.id
LEFT JOIN setting s ON s.run_id = r.id
LEFT JOIN label l ON l.run_id = r.id
GROUP BY r.id;

-- One step of an attempt, over all its ranks.
CREATE VIEW step_time AS
SELECT r.attempt_id, s.step, min(s.expert) AS expert, min(s.start_ns) AS start_ns,
       max(s.start_ns + s.duration_ns) - min(s.start_ns) AS duration_ns
FROM rank r
JOIN step s ON s.rank_id = r.id
GROUP BY r.attempt_id, s.step;

-- One row an attempt. The spike is the switch step's time above the median step.
CREATE VIEW attempt_time AS
WITH ordered AS (
  SELECT attempt_id, step, expert, start_ns, duration_ns,
         row_number() OVER (PARTITION BY attempt_id ORDER BY duration_ns) AS position,
         count(*) OVER (PARTITION BY attempt_id) AS steps
  FROM step_time
), whole AS (
  SELECT attempt_id, max(steps) AS steps, max(start_ns + duration_ns) - min(start_ns) AS total_ns,
         avg(duration_ns) FILTER (WHERE position IN ((steps + 1) / 2, (steps + 2) / 2)) AS median_step_ns,
         min(step) FILTER (WHERE expert = 2) AS switch_step
  FROM ordered
  GROUP BY attempt_id
)
SELECT w.attempt_id, w.steps, w.total_ns, w.median_step_ns, w.switch_step, o.duration_ns AS switch_step_ns,
       o.duration_ns - w.median_step_ns AS spike_ns
FROM whole w
LEFT JOIN ordered o ON o.attempt_id = w.attempt_id AND o.step = w.switch_step;

-- Sums over an attempt's steps of the rank that had most of each. What was loaded before the first step is not in them.
CREATE VIEW attempt_waits AS
WITH per_rank AS (
  SELECT r.attempt_id, r.id AS rank_id, sum(s.exposed_transfer_ns) AS exposed_transfer_ns,
         sum(s.all_to_all_ns) AS all_to_all_ns, sum(s.ring_ns) AS ring_ns, sum(s.stall_weights_ns) AS stall_weights_ns,
         sum(s.stall_peers_ns) AS stall_peers_ns, sum(s.stall_host_ns) AS stall_host_ns, sum(s.h2d_bytes) AS h2d_bytes,
         (SELECT max(m.device_peak) FROM memory m WHERE m.rank_id = r.id) AS device_peak
  FROM rank r
  JOIN step_summary s ON s.rank_id = r.id AND s.step > 0
  GROUP BY r.id
)
SELECT attempt_id, max(exposed_transfer_ns) AS exposed_transfer_ns, max(all_to_all_ns) AS all_to_all_ns,
       max(ring_ns) AS ring_ns, max(stall_weights_ns) AS stall_weights_ns, max(stall_peers_ns) AS stall_peers_ns,
       max(stall_host_ns) AS stall_host_ns, max(h2d_bytes) AS h2d_bytes, max(device_peak) AS device_peak
FROM per_rank
GROUP BY attempt_id;

-- What was brought to the device before step 1, of the rank that took longest; null where a rank did not record it. It is no
-- part of total_ns, of any step, or of what was exposed.
CREATE VIEW attempt_load AS
SELECT attempt_id, iif(count(first_load_ns) = count(*), max(first_load_ns), NULL) AS first_load_ns,
       iif(count(first_load_bytes) = count(*), max(first_load_bytes), NULL) AS first_load_bytes
FROM rank
GROUP BY attempt_id;

-- Runs that were replaced: by which, and why.
CREATE VIEW lineage AS
SELECT p.name AS sweep, r.name AS run, q.name AS new_sweep, n.name AS new_run, e.changes, e.reason, e.made_at
FROM run r
JOIN sweep p ON p.id = r.sweep_id
JOIN run n ON n.id = r.superseded_by
JOIN sweep q ON q.id = n.sweep_id
LEFT JOIN rerun e ON e.sweep_id = n.sweep_id;
