-- How long does an event of each kind last: the median, the slowest tenth, the slowest hundredth and the longest?
-- One row for each kind of event, over all ranks and steps from 1 on. An exchange is shown as a whole and in two parts: `waiting` until the last rank
-- of its group had begun it, and `moving` data after that. p50, p90, p99: the shortest duration that so many percent of the events do not exceed, as
-- the median over the repeats. longest: the longest of all repeats.
WITH ordered AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, e.*,
         count(*) OVER k AS runs,
         row_number() OVER (k ORDER BY e.p50_ns) AS p50_at,
         row_number() OVER (k ORDER BY e.p90_ns) AS p90_at,
         row_number() OVER (k ORDER BY e.p99_ns) AS p99_at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN event_spread e ON e.attempt_id = a.id
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload, e.kind, e.cause, e.part)
)
SELECT o.sweep, max(o.configuration) AS configuration, o.offload,
       k.name || iif(o.cause = 0, '', ' for ' || c.name) || CASE o.part WHEN 1 THEN ', moving' WHEN 2 THEN ', waiting' ELSE '' END
         AS kind,
       sum(o.events) AS events,
       round(avg(o.p50_ns) FILTER (WHERE p50_at IN ((runs + 1) / 2, (runs + 2) / 2)) / 1e6, 4) AS p50_ms,
       round(avg(o.p90_ns) FILTER (WHERE p90_at IN ((runs + 1) / 2, (runs + 2) / 2)) / 1e6, 4) AS p90_ms,
       round(avg(o.p99_ns) FILTER (WHERE p99_at IN ((runs + 1) / 2, (runs + 2) / 2)) / 1e6, 4) AS p99_ms,
       round(max(o.max_ns) / 1e6, 4) AS longest_ms
FROM ordered o
JOIN event_kind k ON k.id = o.kind
JOIN stall_cause c ON c.id = o.cause
GROUP BY o.sweep_id, o.work, o.offload, o.kind, o.cause, o.part
ORDER BY o.sweep, 2, o.offload, o.kind, o.cause, o.part;
