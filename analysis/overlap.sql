-- How much of each transfer was hidden behind compute, and what did it collide with?
-- One row for each direction (h2d: to the device, d2h: from it). Times are summed over the steps; means over ranks and repeats. hidden: the time of copies
-- during which compute ran on the rank. with_...: the time during which an exchange, or a copy in the other direction, ran on the rank.
WITH of_mode AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, max(g.configuration) AS configuration, sum(a.ranks) AS ranks
  FROM (SELECT b.run_id, count(*) AS ranks
        FROM current_attempt b
        JOIN rank r ON r.attempt_id = b.id AND r.events > 0
        GROUP BY b.id) a
  JOIN run_settings g ON g.run_id = a.run_id
  GROUP BY g.sweep_id, g.work, g.offload
), sums AS (
  SELECT g.sweep_id, g.work, g.offload, t.kind, sum(t.events) AS events, sum(t.bytes) AS bytes,
         sum(t.duration_ns) AS duration_ns, sum(t.hidden_ns) AS hidden_ns, sum(t.with_all_to_all_ns) AS with_all_to_all_ns,
         sum(t.with_ring_ns) AS with_ring_ns, sum(t.with_h2d_ns + t.with_d2h_ns) AS with_copy_ns
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN rank r ON r.attempt_id = a.id
  JOIN traffic t ON t.rank_id = r.id AND t.step > 0 AND t.kind IN (4, 5)
  GROUP BY g.sweep_id, g.work, g.offload, t.kind
)
SELECT m.sweep, m.configuration, m.offload, k.name AS direction,
       round(1.0 * s.events / m.ranks, 1) AS transfers,
       round(s.bytes / 1073741824.0 / m.ranks, 4) AS copied_gib,
       round(s.duration_ns / 1e9 / m.ranks, 4) AS transfer_s,
       round(s.hidden_ns / 1e9 / m.ranks, 4) AS hidden_s,
       round((s.duration_ns - s.hidden_ns) / 1e9 / m.ranks, 4) AS exposed_s,
       round(100.0 * s.hidden_ns / s.duration_ns, 1) AS hidden_percent,
       round(s.with_all_to_all_ns / 1e9 / m.ranks, 4) AS with_all_to_all_s,
       round(s.with_ring_ns / 1e9 / m.ranks, 4) AS with_ring_s,
       round(s.with_copy_ns / 1e9 / m.ranks, 4) AS with_other_direction_s
FROM of_mode m
JOIN sums s ON s.sweep_id = m.sweep_id AND s.work = m.work AND s.offload = m.offload
JOIN event_kind k ON k.id = s.kind
ORDER BY m.sweep, m.configuration, m.offload, s.kind DESC;
