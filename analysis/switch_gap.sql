-- Does the gap between swap and layerwise widen when the experts switch later?
-- gap: layerwise's total minus swap's. Measured gaps compare medians of measured runs, predicted gaps compare predictions; the two are never mixed.
-- low, high: for measured gaps the least and the largest difference of any two repeats, empty where a way ran once; for predicted gaps the difference of opposite ends of the two
-- intervals, which is a wide range. widening: the gap minus the gap at the earliest switch step of the same work.
WITH measured AS (
  SELECT g.sweep, g.sweep_id, g.run_id, g.size, g.frames, g.ranks, g.plan, g.offload, t.switch_step, t.total_ns / 1e9 AS total,
         row_number() OVER k AS position, count(*) OVER (PARTITION BY g.sweep_id, g.size, g.frames, g.ranks, g.plan, g.offload, t.switch_step) AS runs
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  WHERE t.switch_step IS NOT NULL
  WINDOW k AS (PARTITION BY g.sweep_id, g.size, g.frames, g.ranks, g.plan, g.offload, t.switch_step ORDER BY t.total_ns)
), ways AS (
  SELECT 'measured' AS source, sweep, sweep_id, size, frames, ranks, plan, offload, switch_step, max(runs) AS runs,
         avg(total) FILTER (WHERE position IN ((runs + 1) / 2, (runs + 2) / 2)) AS total, min(total) AS low, max(total) AS high
  FROM measured
  GROUP BY sweep_id, size, frames, ranks, plan, offload, switch_step
  UNION ALL
  SELECT 'predicted: ' || p.machine, g.sweep, g.sweep_id, g.size, g.frames, g.ranks, g.plan, g.offload, r.expected_switch, 0, p.value, p.low, p.high
  FROM prediction p
  JOIN run r ON r.sweep_id = p.sweep_id AND r.config = p.config AND r.repeat = 1
  JOIN run_settings g ON g.run_id = r.id
  WHERE p.quantity = 'total' AND r.expected_switch IS NOT NULL
), gaps AS (
  SELECT s.source, s.sweep, s.size, s.frames, s.ranks, s.plan, s.offload AS swap, l.offload AS layerwise, s.switch_step,
         min(s.runs, l.runs) AS runs, s.total AS swap_s, l.total AS layerwise_s, l.total - s.total AS gap,
         iif(min(s.runs, l.runs) = 1, NULL, l.low - s.high) AS low, iif(min(s.runs, l.runs) = 1, NULL, l.high - s.low) AS high
  FROM ways s
  JOIN ways l ON l.source = s.source AND l.sweep_id = s.sweep_id AND l.size IS s.size AND l.frames IS s.frames AND l.ranks = s.ranks AND l.plan = s.plan
             AND l.switch_step = s.switch_step AND l.offload LIKE 'layerwise%'
  WHERE s.offload LIKE 'swap%'
)
SELECT sweep, source, size, frames, ranks, plan, swap, layerwise, switch_step, runs,
       round(swap_s, 3) AS swap_s,
       round(layerwise_s, 3) AS layerwise_s,
       round(gap, 3) AS gap_s,
       round(low, 3) AS low_s,
       round(high, 3) AS high_s,
       round(100 * gap / swap_s, 2) AS gap_percent,
       round(gap - first_value(gap) OVER (PARTITION BY source, sweep, size, frames, ranks, plan, swap, layerwise ORDER BY switch_step), 3)
         AS widening_s
FROM gaps
ORDER BY sweep, source, size, frames, ranks, plan, swap, layerwise, switch_step;
