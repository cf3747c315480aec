-- Where did the wall time of each run and of each of its ranks go?
-- One row for each rank, and one for each run (rank empty) with the mean of its ranks. Every nanosecond is in exactly one part, and the parts add up
-- to total. compute: compute or attention ran. The other parts are times in which neither ran. exchange: an exchange moved data; transfer: a copy
-- ran, or the compute stream waited for weights; both: exchange and transfer; waits_for_peers: the rank waited for other ranks, also inside an
-- exchange that its last rank had not begun; waits_for_host: the rank waited for the host; idle: none of these, which is launching work and
-- everything that is not recorded. copies_meanwhile: the part of waits_for_peers during which a copy ran; the other ranks may have waited for that
-- copy too.
WITH parts AS (
  SELECT a.run_id, r.rank, sum(p.compute_ns) AS compute_ns, sum(p.exposed_exchange_ns) AS exchange_ns,
         sum(p.exposed_transfer_ns) AS transfer_ns, sum(p.both_exposed_ns) AS both_ns,
         sum(p.peers_ns + p.peers_transfer_ns) AS peers_ns, sum(p.peers_transfer_ns) AS meanwhile_ns,
         sum(p.host_ns) AS host_ns, sum(p.idle_ns) AS idle_ns
  FROM current_attempt a
  JOIN rank r ON r.attempt_id = a.id
  JOIN step_part p ON p.rank_id = r.id
  GROUP BY r.id
), whole AS (
  SELECT * FROM parts
  UNION ALL
  SELECT run_id, NULL, avg(compute_ns), avg(exchange_ns), avg(transfer_ns), avg(both_ns), avg(peers_ns), avg(meanwhile_ns),
         avg(host_ns), avg(idle_ns)
  FROM parts
  GROUP BY run_id
)
SELECT g.sweep, g.run, g.configuration, g.offload, w.rank,
       round((compute_ns + exchange_ns + transfer_ns + both_ns + peers_ns + host_ns + idle_ns) / 1e9, 4) AS total_s,
       round(compute_ns / 1e9, 4) AS compute_s,
       round(exchange_ns / 1e9, 4) AS exposed_exchange_s,
       round(transfer_ns / 1e9, 4) AS exposed_transfer_s,
       round(both_ns / 1e9, 4) AS both_exposed_s,
       round(peers_ns / 1e9, 4) AS waits_for_peers_s,
       round(host_ns / 1e9, 4) AS waits_for_host_s,
       round(idle_ns / 1e9, 4) AS idle_s,
       round(meanwhile_ns / 1e9, 4) AS copies_meanwhile_s
FROM whole w
JOIN run_settings g ON g.run_id = w.run_id
ORDER BY g.sweep, g.run, w.rank;
