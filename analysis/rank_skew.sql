-- Does one rank hold the others up?
-- One row for each run. slowest_compute: time in compute and attention over all steps, on the rank that had most; skew: by how much it exceeds that
-- of the median rank. waited_for_peers: the time that the other ranks waited, on the rank that waited longest.
WITH per_rank AS (
  SELECT a.run_id, r.rank, r.host, sum(s.compute_ns) AS compute_ns, sum(s.stall_peers_ns) AS peers_ns
  FROM current_attempt a
  JOIN rank r ON r.attempt_id = a.id
  JOIN step_summary s ON s.rank_id = r.id AND s.step > 0
  GROUP BY r.id
), ordered AS (
  SELECT *, count(*) OVER (PARTITION BY run_id) AS ranks,
         row_number() OVER (PARTITION BY run_id ORDER BY compute_ns, rank DESC) AS at
  FROM per_rank
), one AS (
  SELECT run_id, max(ranks) AS ranks,
         max(rank) FILTER (WHERE at = ranks) AS slowest_rank,
         max(host) FILTER (WHERE at = ranks) AS slowest_host,
         max(compute_ns) AS slowest_ns,
         avg(compute_ns) FILTER (WHERE at IN ((ranks + 1) / 2, (ranks + 2) / 2)) AS median_ns,
         max(peers_ns) AS peers_ns
  FROM ordered
  GROUP BY run_id
)
SELECT g.sweep, g.run, g.configuration, g.offload, o.slowest_rank, o.slowest_host,
       round(o.slowest_ns / 1e9, 4) AS slowest_compute_s,
       round(o.median_ns / 1e9, 4) AS median_compute_s,
       round(100.0 * (o.slowest_ns / o.median_ns - 1), 1) AS skew_percent,
       round(o.peers_ns / 1e9, 4) AS waited_for_peers_s
FROM one o
JOIN run_settings g ON g.run_id = o.run_id
WHERE o.ranks > 1
ORDER BY g.sweep, o.slowest_ns / o.median_ns DESC, g.run;
