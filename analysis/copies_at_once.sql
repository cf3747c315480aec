-- What does the host give to ranks that copy at the same time: to each of them, and to all together?
-- One row for each number of ranks of a node that copy in one direction at the same time. each: the rate of one of them; together: that rate times
-- their number. alone: no exchange moved data on the node; beside: an exchange moved data on the rank itself. All copies count; `contention` explains
-- plus_minus and when a rate is empty. percent_of_time: the share of the time in copies of that direction.
WITH numbers AS (
  SELECT sweep, sweep_id, work, offload, max(configuration) AS configuration, kind, at_once, sum(all_ns) AS time_ns,
         max(rate) FILTER (WHERE beside = 0) AS alone, max(half_width) FILTER (WHERE beside = 0) AS alone_half,
         max(rate) FILTER (WHERE beside = 1) AS beside, max(half_width) FILTER (WHERE beside = 1) AS beside_half,
         max(runs) AS runs, sum(sum(all_ns)) OVER (PARTITION BY sweep_id, work, offload, kind) AS all_ns
  FROM pooled_rate
  WHERE at_once > 0
  GROUP BY sweep_id, work, offload, kind, at_once
)
SELECT n.sweep, n.configuration, n.offload, k.name AS direction, n.at_once AS ranks_at_once,
       round(100.0 * n.time_ns / n.all_ns, 1) AS percent_of_time,
       round(n.alone / 1e9, 4) AS each_alone_gb_per_s,
       round(n.at_once * n.alone / 1e9, 4) AS together_alone_gb_per_s,
       round(n.at_once * n.alone_half / 1e9, 4) AS together_alone_plus_minus,
       round(n.beside / 1e9, 4) AS each_beside_gb_per_s,
       round(n.at_once * n.beside / 1e9, 4) AS together_beside_gb_per_s,
       round(n.at_once * n.beside_half / 1e9, 4) AS together_beside_plus_minus,
       n.runs
FROM numbers n
JOIN event_kind k ON k.id = n.kind
ORDER BY n.sweep, n.configuration, n.offload, n.kind, n.at_once;
