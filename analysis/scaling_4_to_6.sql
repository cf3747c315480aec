-- What do 6 ranks gain over 4, for each way of moving weights?
-- Compares runs with 6 and with 4 ranks whose other settings, apart from the parallel plan, are the same. Times are medians over the repeats.
-- efficiency: the speedup, in percent of the 1.5 that 6 ranks could give. exchange: the time in which exchanges moved data, without waiting for the
-- last rank; the mean over the ranks.
WITH problem AS (
  SELECT run_id, group_concat(name || '=' || coalesce(value, ''), ' ') AS settings
  FROM (SELECT run_id, name, value
        FROM setting
        WHERE name <> 'ranks' AND name NOT IN (SELECT name FROM parallel_option)
        ORDER BY run_id, name)
  GROUP BY run_id
), ordered AS (
  SELECT g.sweep, g.sweep_id, p.settings, g.work, g.offload, g.ranks, g.plan, g.flow_shift, t.total_ns, t.median_step_ns,
         w.moving_ns AS exchange_ns, count(*) OVER k AS runs,
         row_number() OVER (k ORDER BY t.total_ns) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN problem p ON p.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  LEFT JOIN attempt_exchanges w ON w.attempt_id = a.id
  WHERE g.ranks IN (4, 6)
  WINDOW k AS (PARTITION BY g.sweep_id, p.settings, g.ranks, g.plan)
), grouped AS (
  SELECT sweep, sweep_id, settings, offload, ranks, plan, max(flow_shift) AS flow_shift, max(runs) AS runs,
         avg(total_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) AS total_ns, avg(exchange_ns) AS exchange_ns
  FROM ordered
  GROUP BY sweep_id, settings, ranks, plan
)
SELECT f.sweep, f.flow_shift, f.offload, f.plan AS plan_4, s.plan AS plan_6, min(f.runs, s.runs) AS runs,
       round(f.total_ns / 1e9, 3) AS total_4_s,
       round(s.total_ns / 1e9, 3) AS total_6_s,
       round(f.total_ns / s.total_ns, 3) AS speedup,
       round(100 * f.total_ns / s.total_ns / 1.5, 1) AS efficiency_percent,
       round(f.exchange_ns / 1e6, 2) AS exchange_4_ms,
       round(s.exchange_ns / 1e6, 2) AS exchange_6_ms
FROM grouped f
JOIN grouped s ON s.sweep_id = f.sweep_id AND s.settings = f.settings AND s.ranks = 6
WHERE f.ranks = 4
ORDER BY f.sweep, f.flow_shift, f.offload, f.plan, s.plan;
