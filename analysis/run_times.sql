-- How long does a run take, for each way of moving weights and each number of ranks?
-- The loop's time, without the first load: the median, the fastest and the slowest of the repeats (runs).
WITH ordered AS (
  SELECT g.sweep, g.sweep_id, g.problem, g.offload, g.ranks, g.plan, t.total_ns,
         count(*) OVER k AS runs, row_number() OVER (k ORDER BY t.total_ns) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload)
)
SELECT sweep, problem AS configuration, offload, ranks, plan, max(runs) AS runs,
       round(avg(total_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) / 1e9, 4) AS total_s,
       round(min(total_ns) / 1e9, 4) AS fastest_s,
       round(max(total_ns) / 1e9, 4) AS slowest_s
FROM ordered
GROUP BY sweep_id, problem, offload, ranks, plan
ORDER BY sweep, problem, offload, ranks, plan;
