-- How much of the copying did compute hide?
-- Copies in both directions, summed over the steps; means over ranks and repeats. exposed: the time of copies during which no compute ran on the rank.
-- Ranks without events are left out, since nothing tells what they copied.
WITH per_rank AS (
  SELECT a.run_id, r.id, coalesce(sum(t.hidden_ns), 0) AS hidden_ns,
         coalesce(sum(t.duration_ns - t.hidden_ns), 0) AS exposed_ns
  FROM current_attempt a
  JOIN rank r ON r.attempt_id = a.id
  LEFT JOIN traffic t ON t.rank_id = r.id AND t.step > 0 AND t.kind IN (4, 5)
  WHERE r.events > 0
  GROUP BY r.id
)
SELECT g.sweep, g.configuration, g.offload,
       round(avg(p.hidden_ns) / 1e9, 4) AS hidden_s,
       round(avg(p.exposed_ns) / 1e9, 4) AS exposed_s
FROM per_rank p
JOIN run_settings g ON g.run_id = p.run_id
GROUP BY g.sweep_id, g.work, g.offload
ORDER BY g.sweep, g.configuration, g.offload;
