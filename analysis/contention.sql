-- Do weights and exchanges slow each other down where they share a wire?
-- One row for each kind of traffic: copies (h2d, d2h), exchanges (all_to_all, ring) and parts of weights from peers (weight_parts). The rates
-- are those of one rank, in GB/s of 1e9 bytes. alone: no traffic of the other sort ran on the node; beside: it ran on the rank itself; beside_peers:
-- it ran only on other ranks of the node. For copies and weight_parts the other sort is exchanges, for exchanges it is copies.
-- The rates are fitted to all events of steps 1 and later: an event's bytes are the sum of rate times time over the conditions that it went through
-- (two-stage least squares). An exchange counts from the time at which the last rank of its group had begun it. plus_minus is half of the 95 %
-- confidence interval, robust to correlation within a step; it is empty when all events are of one step. beyond_noise tells whether the intervals
-- separate alone from beside. A rate is empty when it cannot be told from zero, or its condition took less than 1 % of the time. alone_s and beside_s
-- are the seconds that a rank of a run spent in that condition.
WITH ranks AS (
  SELECT attempt_id, count(*) AS ranks
  FROM rank
  GROUP BY attempt_id
), pooled AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, max(g.configuration) AS configuration, t.kind, t.beside,
         sum(t.time_ns) FILTER (WHERE t.rate IS NOT NULL) AS rated_ns,
         sum(t.rate * t.time_ns) AS moved,
         sum(t.half_width * t.half_width * t.time_ns * t.time_ns) AS variance,
         count(t.half_width) = count(t.rate) AS sure,
         avg(1.0 * t.time_ns / n.ranks) AS time_ns
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN ranks n ON n.attempt_id = a.id
  JOIN traffic_rate t ON t.attempt_id = a.id AND t.at_once = 0
  GROUP BY g.sweep_id, g.work, g.offload, t.kind, t.beside
), rated AS (
  SELECT *, moved / rated_ns / 1e9 AS rate, iif(sure, sqrt(variance) / rated_ns / 1e9, NULL) AS half_width
  FROM pooled
), sides AS (
  SELECT sweep, sweep_id, work, offload, max(configuration) AS configuration, kind,
         max(rate) FILTER (WHERE beside = 0) AS alone, max(half_width) FILTER (WHERE beside = 0) AS alone_half,
         max(rate) FILTER (WHERE beside = 1) AS beside, max(half_width) FILTER (WHERE beside = 1) AS beside_half,
         max(rate) FILTER (WHERE beside = 2) AS peers, max(half_width) FILTER (WHERE beside = 2) AS peers_half,
         max(time_ns) FILTER (WHERE beside = 0) AS alone_ns, max(time_ns) FILTER (WHERE beside = 1) AS beside_ns
  FROM rated
  GROUP BY sweep_id, work, offload, kind
)
SELECT s.sweep, s.configuration, s.offload, k.name AS kind,
       round(s.alone, 4) AS alone_gb_per_s,
       round(s.alone_half, 4) AS alone_plus_minus,
       round(s.beside, 4) AS beside_gb_per_s,
       round(s.beside_half, 4) AS beside_plus_minus,
       round(100 * (1 - s.beside / s.alone), 1) AS slower_percent,
       CASE WHEN abs(s.alone - s.beside) > sqrt(s.alone_half * s.alone_half + s.beside_half * s.beside_half) THEN 'yes'
            WHEN s.alone_half + s.beside_half IS NOT NULL THEN 'no' END AS beyond_noise,
       round(s.peers, 4) AS beside_peers_gb_per_s,
       round(s.peers_half, 4) AS beside_peers_plus_minus,
       round(s.alone_ns / 1e9, 4) AS alone_s,
       round(s.beside_ns / 1e9, 4) AS beside_s
FROM sides s
JOIN event_kind k ON k.id = s.kind
ORDER BY s.sweep, s.configuration, s.offload, s.kind;
