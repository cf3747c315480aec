-- What does the host give to ranks that copy at the same time: to each of them, and to all together?
-- One row for each number of ranks of a node that copy in one direction at the same time. each: the rate of one of them; together: that rate times
-- their number. alone: no exchange moved data on the node; beside: an exchange moved data on the rank itself. All copies count; plus_minus is explained
-- in `contention`. percent_of_time: the share of the time in copies of that direction.
WITH pooled AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, max(g.configuration) AS configuration, t.kind, t.at_once, t.beside,
         sum(t.time_ns) AS time_ns,
         sum(t.time_ns) FILTER (WHERE t.rate IS NOT NULL) AS rated_ns,
         sum(t.rate * t.time_ns) AS moved,
         sum(t.half_width * t.half_width * t.time_ns * t.time_ns) AS variance,
         count(t.half_width) = count(t.rate) AS sure
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN traffic_rate t ON t.attempt_id = a.id AND t.at_once > 0
  GROUP BY g.sweep_id, g.work, g.offload, t.kind, t.at_once, t.beside
), rated AS (
  SELECT *, moved / rated_ns / 1e9 AS rate, iif(sure, sqrt(variance) / rated_ns / 1e9, NULL) AS half_width
  FROM pooled
), numbers AS (
  SELECT sweep, sweep_id, work, offload, max(configuration) AS configuration, kind, at_once, sum(time_ns) AS time_ns,
         max(rate) FILTER (WHERE beside = 0) AS alone, max(half_width) FILTER (WHERE beside = 0) AS alone_half,
         max(rate) FILTER (WHERE beside = 1) AS beside, max(half_width) FILTER (WHERE beside = 1) AS beside_half,
         sum(sum(time_ns)) OVER (PARTITION BY sweep_id, work, offload, kind) AS all_ns
  FROM rated
  GROUP BY sweep_id, work, offload, kind, at_once
)
SELECT n.sweep, n.configuration, n.offload, k.name AS direction, n.at_once AS ranks_at_once,
       round(100.0 * n.time_ns / n.all_ns, 1) AS percent_of_time,
       round(n.alone, 4) AS each_alone_gb_per_s,
       round(n.at_once * n.alone, 4) AS together_alone_gb_per_s,
       round(n.at_once * n.alone_half, 4) AS together_alone_plus_minus,
       round(n.beside, 4) AS each_beside_gb_per_s,
       round(n.at_once * n.beside, 4) AS together_beside_gb_per_s,
       round(n.at_once * n.beside_half, 4) AS together_beside_plus_minus
FROM numbers n
JOIN event_kind k ON k.id = n.kind
ORDER BY n.sweep, n.configuration, n.offload, n.kind, n.at_once;
