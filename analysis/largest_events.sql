-- Which single events lasted longest, and on which rank and in which step?
-- The five longest events of each kind, of steps 1 and later. block and forward are empty for an event outside of them. at: the time since the first
-- step began. moving: the time of an exchange after the last rank of its group had begun it; before that the exchange waited. times_median: the
-- event's duration as a multiple of the median of its kind in the run.
WITH ordered AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, g.run, r.rank, l.kind, l.cause, l.moving_ns, e.step,
         e.forward, e.block, e.start_ns, e.duration_ns, s.p50_ns,
         row_number() OVER (PARTITION BY g.sweep_id, g.work, g.offload, l.kind, l.cause
                            ORDER BY e.duration_ns DESC, g.run, l.n) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN largest_event l ON l.attempt_id = a.id
  JOIN rank r ON r.id = l.rank_id
  CROSS JOIN event e ON e.id = l.event_id
  JOIN event_spread s ON s.attempt_id = a.id AND s.kind = l.kind AND s.cause = l.cause AND s.part = 0
)
SELECT o.sweep, o.configuration, o.offload, k.name || iif(o.cause = 0, '', ' for ' || c.name) AS kind, o.run, o.rank, o.step,
       nullif(o.forward, -1) AS forward,
       nullif(o.block, -1) AS block,
       round(o.start_ns / 1e9, 4) AS at_s,
       round(o.duration_ns / 1e6, 4) AS duration_ms,
       round(iif(o.kind IN (2, 3), o.moving_ns, NULL) / 1e6, 4) AS moving_ms,
       round(1.0 * o.duration_ns / nullif(o.p50_ns, 0), 1) AS times_median
FROM ordered o
JOIN event_kind k ON k.id = o.kind
JOIN stall_cause c ON c.id = o.cause
WHERE o.at <= 5
ORDER BY o.sweep, o.configuration, o.offload, o.kind, o.cause, o.at;
