-- How far were predictions from what was then measured?
-- One row for each configuration, quantity and machine's file. measured: the median of the repeats (runs). error: predicted minus measured, in
-- percent of the measured value; error_of_total: the same in percent of the measured total; half_width: half of the predicted interval, in percent of
-- the prediction; runs_inside: how many of the runs lie in the interval. Times are in s, memory in GiB. Runs that were predicted and not measured
-- have no row: `wansweep predict` shows them.
WITH measured AS (
  SELECT r.sweep_id, r.config, r.id AS run_id, 'total' AS quantity, t.total_ns / 1e9 AS value
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_time t ON t.attempt_id = a.id
  UNION ALL
  SELECT r.sweep_id, r.config, r.id, 'median_step', t.median_step_ns / 1e9
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_time t ON t.attempt_id = a.id
  UNION ALL
  SELECT r.sweep_id, r.config, r.id, 'spike', t.spike_ns / 1e9
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_time t ON t.attempt_id = a.id
  UNION ALL
  SELECT r.sweep_id, r.config, r.id, 'exposed_transfer', w.exposed_transfer_ns / 1e9
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_waits w ON w.attempt_id = a.id
  UNION ALL
  SELECT r.sweep_id, r.config, r.id, 'first_load', l.first_load_ns / 1e9
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_load l ON l.attempt_id = a.id
  UNION ALL
  SELECT r.sweep_id, r.config, r.id, 'device_memory', w.device_peak * 1.0
  FROM current_attempt a JOIN run r ON r.id = a.run_id JOIN attempt_waits w ON w.attempt_id = a.id
), ordered AS (
  SELECT *, count(*) OVER k AS runs, row_number() OVER (k ORDER BY value) AS position
  FROM measured
  WHERE value IS NOT NULL
  WINDOW k AS (PARTITION BY sweep_id, config, quantity)
), middle AS (
  SELECT sweep_id, config, quantity, max(runs) AS runs, min(run_id) AS run_id,
         avg(value) FILTER (WHERE position IN ((runs + 1) / 2, (runs + 2) / 2)) AS value
  FROM ordered
  GROUP BY sweep_id, config, quantity
)
SELECT g.sweep, g.configuration, g.offload, p.machine, p.quantity, m.runs,
       round(m.value / u.scale, 4) AS measured,
       round(p.value / u.scale, 4) AS predicted,
       round(p.low / u.scale, 4) AS low,
       round(p.high / u.scale, 4) AS high,
       iif(p.unit = 's', 's', 'GiB') AS unit,
       round(100 * (p.value / nullif(m.value, 0) - 1), 2) AS error_percent,
       iif(p.unit = 's', round(100 * (p.value - m.value) / t.value, 2), NULL) AS error_of_total_percent,
       round(50 * (p.high - p.low) / nullif(abs(p.value), 0), 2) AS half_width_percent,
       (SELECT count(*) FROM ordered o WHERE o.sweep_id = m.sweep_id AND o.config = m.config AND o.quantity = m.quantity
          AND o.value BETWEEN p.low AND p.high) AS runs_inside,
       p.machine_digest
FROM prediction p
JOIN (SELECT 's' AS unit, 1.0 AS scale UNION ALL SELECT 'bytes', 1073741824.0) u ON u.unit = p.unit
JOIN middle m ON m.sweep_id = p.sweep_id AND m.config = p.config AND m.quantity = p.quantity
LEFT JOIN middle t ON t.sweep_id = p.sweep_id AND t.config = p.config AND t.quantity = 'total'
JOIN run_settings g ON g.run_id = m.run_id
ORDER BY g.sweep, p.machine, g.configuration, g.offload, p.quantity;
