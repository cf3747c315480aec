-- Where did the time of each step go?
-- One row for each step: means over ranks and repeats. The parts are those of `timeline`, and add up to the step.
SELECT g.sweep, g.configuration, g.offload, p.step,
       round(avg(p.compute_ns) / 1e6, 3) AS compute_ms,
       round(avg(p.exposed_exchange_ns) / 1e6, 3) AS exposed_exchange_ms,
       round(avg(p.both_exposed_ns) / 1e6, 3) AS both_exposed_ms,
       round(avg(p.exposed_transfer_ns) / 1e6, 3) AS exposed_transfer_ms,
       round(avg(p.peers_ns + p.peers_transfer_ns) / 1e6, 3) AS waits_for_peers_ms,
       round(avg(p.host_ns) / 1e6, 3) AS waits_for_host_ms,
       round(avg(p.idle_ns) / 1e6, 3) AS idle_ms
FROM current_attempt a
JOIN run_settings g ON g.run_id = a.run_id
JOIN rank r ON r.attempt_id = a.id
JOIN step_part p ON p.rank_id = r.id
GROUP BY g.sweep_id, g.work, g.offload, p.step
ORDER BY g.sweep, g.configuration, g.offload, p.step;
