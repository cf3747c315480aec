-- How long does each step take, and where do the experts switch?
-- Medians over the repeats.
WITH ordered AS (
  SELECT g.sweep, g.sweep_id, g.configuration, g.work, g.offload, t.step, t.duration_ns, w.switch_step,
         count(*) OVER k AS runs, row_number() OVER (k ORDER BY t.duration_ns) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time w ON w.attempt_id = a.id
  JOIN step_time t ON t.attempt_id = a.id
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload, t.step)
)
SELECT sweep, configuration, offload, step,
       round(avg(duration_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) / 1e6, 3) AS step_ms,
       min(switch_step) AS switch_step
FROM ordered
GROUP BY sweep_id, work, offload, step
ORDER BY sweep, configuration, offload, step;
