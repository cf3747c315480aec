-- At which steps does each way of moving weights take longer than resident weights, and how much?
-- Step times are medians over the repeats. exposed: the time of copies during which no compute ran, on the rank that had most of it; the mean over
-- the repeats.
WITH exposed AS (
  SELECT r.attempt_id, s.step, max(s.exposed_transfer_ns) AS exposed_ns
  FROM rank r
  JOIN step_summary s ON s.rank_id = r.id
  GROUP BY r.attempt_id, s.step
), ordered AS (
  SELECT g.sweep, g.sweep_id, g.configuration, g.work, g.offload, t.step, t.expert, t.duration_ns, e.exposed_ns,
         count(*) OVER k AS runs, row_number() OVER (k ORDER BY t.duration_ns) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN step_time t ON t.attempt_id = a.id
  LEFT JOIN exposed e ON e.attempt_id = a.id AND e.step = t.step
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload, t.step)
), grouped AS (
  SELECT sweep, sweep_id, work, offload, step, max(configuration) AS configuration, min(expert) AS expert,
         avg(duration_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) AS step_ns, avg(exposed_ns) AS exposed_ns
  FROM ordered
  GROUP BY sweep_id, work, offload, step
)
SELECT g.sweep, g.configuration, g.offload, g.step, g.expert,
       round(g.step_ns / 1e6, 2) AS step_ms,
       round(b.step_ns / 1e6, 2) AS resident_ms,
       round((g.step_ns - b.step_ns) / 1e6, 2) AS overhead_ms,
       round(g.exposed_ns / 1e6, 2) AS exposed_ms
FROM grouped g
JOIN grouped b ON b.sweep_id = g.sweep_id AND b.work = g.work AND b.offload = 'resident' AND b.step = g.step
WHERE g.offload <> 'resident'
ORDER BY g.sweep, g.configuration, g.offload, g.step;
