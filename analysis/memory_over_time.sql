-- How much device memory is in use over the run?
-- One row for each step, with the device memory at the end of the step on the rank that uses most, in the first repeat. peak: the highest use until
-- then.
WITH first AS (
  SELECT a.id AS attempt_id, g.sweep, g.sweep_id, g.work, g.configuration, g.offload,
         row_number() OVER (PARTITION BY g.sweep_id, g.work, g.offload ORDER BY g.repeat) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
)
SELECT f.sweep, f.configuration, f.offload,
       round(max(m.time_ns) / 1e9, 3) AS time_s,
       round(max(m.device_used) / 1048576.0, 3) AS device_mib,
       round(max(m.device_peak) / 1048576.0, 3) AS peak_mib
FROM first f
JOIN rank r ON r.attempt_id = f.attempt_id
JOIN memory m ON m.rank_id = r.id
WHERE f.at = 1
GROUP BY f.attempt_id, m.n
ORDER BY f.sweep, f.configuration, f.offload, m.n;
