-- What do more ranks gain, for each way of moving weights and of spreading the ranks?
-- One row for each number of ranks and parallel plan. Runs whose other settings are the same are compared with those of fewest ranks. Times are
-- medians over the repeats. efficiency: the speedup, in percent of the ratio of the numbers of ranks.
WITH problem AS (
  SELECT run_id, group_concat(name || '=' || coalesce(value, ''), ' ') AS settings
  FROM (SELECT run_id, name, value
        FROM setting
        WHERE name <> 'ranks' AND name NOT IN (SELECT name FROM parallel_option)
        ORDER BY run_id, name)
  GROUP BY run_id
), ordered AS (
  SELECT g.sweep, g.sweep_id, p.settings, g.offload, g.ranks, g.plan, g.flow_shift, t.median_step_ns,
         count(*) OVER k AS runs, row_number() OVER (k ORDER BY t.median_step_ns) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN problem p ON p.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  WINDOW k AS (PARTITION BY g.sweep_id, p.settings, g.ranks, g.plan)
), grouped AS (
  SELECT sweep, sweep_id, settings, offload, ranks, plan, max(flow_shift) AS flow_shift, max(runs) AS runs,
         avg(median_step_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) AS median_step_ns
  FROM ordered
  GROUP BY sweep_id, settings, ranks, plan
), fewest AS (
  SELECT sweep_id, settings, min(ranks) AS ranks
  FROM grouped
  GROUP BY sweep_id, settings
), base AS (
  SELECT f.sweep_id, f.settings, f.ranks, min(g.median_step_ns) AS median_step_ns
  FROM fewest f
  JOIN grouped g ON g.sweep_id = f.sweep_id AND g.settings = f.settings AND g.ranks = f.ranks
  GROUP BY f.sweep_id, f.settings
)
SELECT g.sweep, g.flow_shift, g.offload, g.ranks, g.plan, g.runs,
       round(g.median_step_ns / 1e6, 2) AS median_step_ms,
       round(b.median_step_ns / g.median_step_ns, 3) AS speedup,
       round(100 * b.median_step_ns * b.ranks / g.median_step_ns / g.ranks, 1) AS efficiency_percent
FROM grouped g
JOIN base b ON b.sweep_id = g.sweep_id AND b.settings = g.settings
ORDER BY g.sweep, g.flow_shift, g.offload, g.ranks, median_step_ms;
