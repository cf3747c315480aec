-- Where did the time of each step go?
-- Means over ranks and repeats. compute: compute and attention; the others: what the compute stream waited for; rest: none
-- of these, which is launching work and all that is not recorded.
SELECT g.sweep, g.configuration, g.offload, s.step,
       round(avg(y.compute_ns) / 1e6, 3) AS compute_ms,
       round(avg(y.stall_weights_ns) / 1e6, 3) AS weights_ms,
       round(avg(y.stall_peers_ns) / 1e6, 3) AS peers_ms,
       round(avg(y.stall_host_ns) / 1e6, 3) AS host_ms,
       round(max(0, avg(s.duration_ns - y.compute_ns - y.stall_weights_ns - y.stall_peers_ns - y.stall_host_ns)) / 1e6, 3)
         AS rest_ms
FROM current_attempt a
JOIN run_settings g ON g.run_id = a.run_id
JOIN rank r ON r.attempt_id = a.id
JOIN step s ON s.rank_id = r.id
JOIN step_summary y ON y.rank_id = r.id AND y.step = s.step
GROUP BY g.sweep_id, g.work, g.offload, s.step
ORDER BY g.sweep, g.configuration, g.offload, s.step;
