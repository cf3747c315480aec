-- The views that the queries in analysis/ read. Views hold no data: whenever a database's views differ from these, they are
-- made anew.

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

-- The newest complete attempt of each run that no other run supersedes: most queries are answered from these.
CREATE VIEW current_attempt AS
SELECT a.*
FROM newest_attempt a
JOIN run r ON r.id = a.run_id
WHERE r.superseded_by IS NULL;

-- Settings that say how weights move, not what is computed.
CREATE VIEW offload_option AS
SELECT column1 AS name FROM (VALUES {{offload_options}});

-- Settings that say how the ranks are spread. The column `plan` stands for them.
CREATE VIEW parallel_option AS
SELECT column1 AS name FROM (VALUES {{parallel_options}});

-- Settings that are not the same in all runs of a sweep: the axes of its matrix, and what follows from them.
CREATE VIEW varying_setting AS
SELECT r.sweep_id, s.name
FROM run r
JOIN setting s ON s.run_id = r.id
WHERE s.origin IS NOT 'not followed'
GROUP BY r.sweep_id, s.name
HAVING count(DISTINCT s.value) + max(s.value IS NULL) > 1;

-- One row for each run, with the names that people use. configuration: what is computed, as the settings that vary in the
-- sweep; the plan stands for the settings that make it. problem: the same without the ranks and their plan. plan: Ulysses ranks
-- x ring ranks, with "2x" in front when the guidance is split. offload: how weights move, with its options.
CREATE VIEW run_settings AS
WITH plan AS (
  SELECT r.id AS run_id,
         iif(r.cfg > 1, r.cfg || 'x', '') || coalesce(r.ulysses, '?') || 'x' || coalesce(r.ring, '?') AS plan,
         r.sweep_id IN (SELECT v.sweep_id FROM varying_setting v JOIN parallel_option USING (name)) AS varies
  FROM run r
), label AS (
  SELECT run_id, group_concat(name || ' ' || coalesce(value, '-'), ', ') AS label,
         group_concat(name || ' ' || coalesce(value, '-'), ', ') FILTER (WHERE name <> 'ranks') AS problem
  FROM (SELECT s.run_id, s.name, s.value
        FROM setting s
        JOIN run r ON r.id = s.run_id
        JOIN varying_setting v ON v.sweep_id = r.sweep_id AND v.name = s.name
        WHERE s.name NOT IN (SELECT name FROM offload_option UNION ALL SELECT name FROM parallel_option)
          AND s.origin IS NOT 'not followed'
        ORDER BY s.run_id, s.name <> 'ranks', s.name)
  GROUP BY run_id
)
SELECT r.id AS run_id, r.sweep_id, p.name AS sweep, r.name AS run, r.repeat, r.work, r.cfg, r.ulysses, r.ring,
       g.plan,
       coalesce(max(s.value) FILTER (WHERE s.name = 'engine'), 'wansweep') AS engine,
       max(s.value) FILTER (WHERE s.name = 'model_id') AS model_id,
       max(s.value) FILTER (WHERE s.name = 'size') AS size,
       CAST(max(s.value) FILTER (WHERE s.name = 'frames') AS INTEGER) AS frames,
       CAST(max(s.value) FILTER (WHERE s.name = 'ranks') AS INTEGER) AS ranks,
       CAST(max(s.value) FILTER (WHERE s.name = 'flow_shift') AS REAL) AS flow_shift,
       max(s.value) FILTER (WHERE s.name = 'sigma_schedule') AS schedule,
       CAST(max(s.value) FILTER (WHERE s.name = 'device_memory') AS REAL) AS device_memory_gib,
       CASE WHEN max(s.value) FILTER (WHERE s.name = 'engine') <> 'wansweep'
                 AND NOT EXISTS (SELECT 1 FROM varying_setting v WHERE v.sweep_id = r.sweep_id AND v.name = 'engine')
            THEN 'engine ' || max(s.value) FILTER (WHERE s.name = 'engine') || ', ' ELSE '' END
         || CASE WHEN g.varies THEN coalesce(l.label || ', ', '') || 'plan ' || g.plan
            ELSE coalesce(l.label, 'all') END AS configuration,
       coalesce(l.problem, 'all') AS problem,
       max(s.value) FILTER (WHERE s.name = 'offload')
         || CASE WHEN max(s.value) FILTER (WHERE s.name = 'offload') = 'layerwise'
                  AND max(s.value) FILTER (WHERE s.name = 'prefetch') <> '0'
                 THEN ' prefetch ' || max(s.value) FILTER (WHERE s.name = 'prefetch') ELSE '' END
         || CASE WHEN max(s.value) FILTER (WHERE s.name = 'offload') <> 'planned' THEN ''
                 WHEN max(s.value) FILTER (WHERE s.name = 'device_budget') <> 'auto'
                 THEN ' ' || max(s.value) FILTER (WHERE s.name = 'device_budget') || ' GiB'
                 ELSE ' auto of ' || max(s.value) FILTER (WHERE s.name = 'device_memory') || ' GiB' END
         || CASE max(s.value) FILTER (WHERE s.name = 'guidance_order') WHEN 'block' THEN ' block order' ELSE '' END
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

-- One row for each step of an attempt, over all its ranks.
CREATE VIEW step_time AS
SELECT r.attempt_id, s.step, min(s.expert) AS expert, min(s.start_ns) AS start_ns,
       max(s.start_ns + s.duration_ns) - min(s.start_ns) AS duration_ns
FROM rank r
JOIN step s ON s.rank_id = r.id
GROUP BY r.attempt_id, s.step;

-- One row for each attempt. The spike is the switch step's time above the median step.
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

-- One row for each attempt: sums over its steps, each of the rank that had most. The first load, before the first step, is not
-- part of them.
CREATE VIEW attempt_waits AS
WITH per_rank AS (
  SELECT r.attempt_id, r.id AS rank_id, sum(s.exposed_transfer_ns) AS exposed_transfer_ns,
         sum(s.stall_weights_ns) AS stall_weights_ns,
         sum(s.stall_peers_ns) AS stall_peers_ns, sum(s.stall_host_ns) AS stall_host_ns, sum(s.h2d_bytes) AS h2d_bytes,
         (SELECT max(m.device_peak) FROM memory m WHERE m.rank_id = r.id) AS device_peak
  FROM rank r
  LEFT JOIN step_summary s ON s.rank_id = r.id AND s.step > 0
  GROUP BY r.id
)
SELECT attempt_id, max(exposed_transfer_ns) AS exposed_transfer_ns, max(stall_weights_ns) AS stall_weights_ns, max(stall_peers_ns) AS stall_peers_ns,
       max(stall_host_ns) AS stall_host_ns, max(h2d_bytes) AS h2d_bytes, max(device_peak) AS device_peak
FROM per_rank
GROUP BY attempt_id;

-- The first load of each attempt, before step 1: that of the rank that took longest; null where a rank did not record it. It is
-- not part of total_ns, of any step, or of exposed transfers.
CREATE VIEW attempt_load AS
SELECT attempt_id, iif(count(first_load_ns) = count(*), max(first_load_ns), NULL) AS first_load_ns,
       iif(count(first_load_bytes) = count(*), max(first_load_bytes), NULL) AS first_load_bytes
FROM rank
GROUP BY attempt_id;

-- The time that a rank spent in exchanges (all-to-alls and rings) of steps 1 and later, as the mean over the ranks: while data
-- moved, and before that, while it waited for the last rank of its group to begin the exchange. Null where no rank has events.
CREATE VIEW attempt_exchanges AS
SELECT a.id AS attempt_id,
       coalesce(sum(e.total_ns) FILTER (WHERE e.part = 1), 0) / a.ranks AS moving_ns,
       coalesce(sum(e.total_ns) FILTER (WHERE e.part = 2), 0) / a.ranks AS waiting_ns
FROM (SELECT attempt_id AS id, 1.0 * nullif(count(*) FILTER (WHERE events > 0), 0) AS ranks FROM rank GROUP BY attempt_id) a
LEFT JOIN event_spread e ON e.attempt_id = a.id AND e.kind IN (SELECT id FROM event_kind WHERE name IN ('all_to_all', 'ring'))
GROUP BY a.id;

-- The rates of table traffic_rate, over the repeats of a configuration and offload mode (runs); exchanges also by the number
-- of groups in which heads were exchanged, which a run that leaves it open takes by its own measurement. rate, in bytes a
-- second of one rank: the mean of the runs' rates; null where one of the runs in which the condition took at least 1 % of the
-- time of its kind has no rate, because the mean of the others would be that of a selection. half_width: of the 95 %
-- confidence interval from the spread of the runs (Student's t), or of the runs' own intervals where that is wider. time_ns: of
-- a rank of a run, in that condition.
CREATE VIEW pooled_rate AS
WITH student (degrees, t) AS (
  VALUES (1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (6, 2.447), (7, 2.365), (8, 2.306), (9, 2.262)
), ranks AS (
  SELECT attempt_id, count(*) AS ranks, max(id) AS rank_id FROM rank WHERE events > 0 GROUP BY attempt_id
), of_run AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, t.kind, t.at_once, t.beside, t.rate, t.half_width,
         t.time_ns, 1.0 * t.time_ns / n.ranks AS rank_ns,
         t.time_ns >= 0.01 * sum(t.time_ns) OVER (PARTITION BY t.attempt_id, t.kind, t.at_once > 0) AS counts,
         CASE WHEN t.kind IN (SELECT id FROM event_kind WHERE name IN ('all_to_all', 'ring'))
              THEN (SELECT CAST(v.value AS INTEGER) FROM environment v
                    WHERE v.rank_id = n.rank_id AND v.name = 'exchange_groups') END AS exchange_groups
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN ranks n ON n.attempt_id = a.id
  JOIN traffic_rate t ON t.attempt_id = a.id
), pooled AS (
  SELECT sweep, sweep_id, work, offload, max(configuration) AS configuration, kind, exchange_groups, at_once, beside,
         sum(counts) AS runs, count(rate) FILTER (WHERE counts) AS rated, avg(rate) AS rate,
         sum(rate * rate) AS squares, sum(half_width * half_width) AS own, count(half_width) AS sure,
         avg(rank_ns) AS time_ns, sum(time_ns) AS all_ns
  FROM of_run
  GROUP BY sweep_id, work, offload, kind, exchange_groups, at_once, beside
), spread AS (
  SELECT p.*, iif(sure = runs, sqrt(own) / runs, NULL) AS own_half,
         (SELECT t FROM student WHERE degrees = min(p.runs - 1, 9)) * sqrt(max(0, squares - runs * rate * rate) / (runs - 1) / runs)
           AS between_half
  FROM pooled p
)
SELECT sweep, sweep_id, work, offload, configuration, kind, exchange_groups, at_once, beside, runs, time_ns, all_ns,
       iif(rated = runs AND runs > 0, rate, NULL) AS rate,
       CASE WHEN rated < runs OR runs = 0 THEN NULL
            WHEN runs = 1 THEN own_half
            ELSE max(coalesce(own_half, 0), between_half) END AS half_width
FROM spread;

-- The runs that were replaced, with the run that replaced each and the reason.
CREATE VIEW lineage AS
SELECT p.name AS sweep, r.name AS run, q.name AS new_sweep, n.name AS new_run, e.changes, e.reason, e.made_at
FROM run r
JOIN sweep p ON p.id = r.sweep_id
JOIN run n ON n.id = r.superseded_by
JOIN sweep q ON q.id = n.sweep_id
LEFT JOIN rerun e ON e.sweep_id = n.sweep_id;
