-- Do weights and exchanges slow each other down where they share a wire?
-- One row for each kind of traffic: copies (h2d, d2h), exchanges (all_to_all, ring) and parts of weights from peers (weight_parts). The rates
-- are those of one rank, in GB/s of 1e9 bytes. alone: no traffic of the other sort ran on the node; beside: it ran on the rank itself; beside_peers:
-- it ran only on other ranks of the node. For copies and weight_parts the other sort is exchanges, for exchanges it is copies.
-- The rates are fitted to all events of steps 1 and later: an event's bytes are the sum of rate times time over the conditions that it went through
-- (two-stage least squares). An exchange counts from the time at which the last rank of its group had begun it. A rate is the mean over the repeats
-- (runs); plus_minus is half of its 95 % confidence interval: from the spread of the repeats, or from the steps of each where that is wider.
-- beyond_noise tells whether the intervals separate alone from beside. A rate is empty where the events do not tell it to 15 % in each of the runs,
-- for example when all copies overlap exchanges for the same small part of their time; and where its condition took less than 1 % of the time.
-- alone_s and beside_s are the seconds that a rank of a run spent in that condition. exchange_groups: the groups of heads in which exchanges were
-- made; runs that took other numbers have rows of their own.
WITH sides AS (
  SELECT sweep, sweep_id, work, offload, max(configuration) AS configuration, kind, exchange_groups, max(runs) AS runs,
         max(rate) FILTER (WHERE beside = 0) AS alone, max(half_width) FILTER (WHERE beside = 0) AS alone_half,
         max(rate) FILTER (WHERE beside = 1) AS beside, max(half_width) FILTER (WHERE beside = 1) AS beside_half,
         max(rate) FILTER (WHERE beside = 2) AS peers, max(half_width) FILTER (WHERE beside = 2) AS peers_half,
         max(time_ns) FILTER (WHERE beside = 0) AS alone_ns, max(time_ns) FILTER (WHERE beside = 1) AS beside_ns
  FROM pooled_rate
  WHERE at_once = 0
  GROUP BY sweep_id, work, offload, kind, exchange_groups
)
SELECT s.sweep, s.configuration, s.offload, k.name AS kind,
       round(s.alone / 1e9, 4) AS alone_gb_per_s,
       round(s.alone_half / 1e9, 4) AS alone_plus_minus,
       round(s.beside / 1e9, 4) AS beside_gb_per_s,
       round(s.beside_half / 1e9, 4) AS beside_plus_minus,
       round(100 * (1 - s.beside / s.alone), 1) AS slower_percent,
       CASE WHEN abs(s.alone - s.beside) > sqrt(s.alone_half * s.alone_half + s.beside_half * s.beside_half) THEN 'yes'
            WHEN s.alone_half + s.beside_half IS NOT NULL THEN 'no' END AS beyond_noise,
       round(s.peers / 1e9, 4) AS beside_peers_gb_per_s,
       round(s.peers_half / 1e9, 4) AS beside_peers_plus_minus,
       round(s.alone_ns / 1e9, 4) AS alone_s,
       round(s.beside_ns / 1e9, 4) AS beside_s,
       s.exchange_groups, s.runs
FROM sides s
JOIN event_kind k ON k.id = s.kind
ORDER BY s.sweep, s.configuration, s.offload, s.kind, s.exchange_groups;
