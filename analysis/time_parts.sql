-- Where does the time of a step go, for each way of moving weights and each number of ranks?
-- The mean step, over steps, ranks and repeats. The parts are those of `timeline`, and add up to the step.
WITH labelled AS (
  SELECT run_id, sweep, sweep_id, problem, offload, ranks, plan,
         min(plan) OVER k <> max(plan) OVER k AS plans_differ
  FROM run_settings
  WINDOW k AS (PARTITION BY sweep_id, problem, ranks)
)
SELECT g.sweep, g.problem AS configuration,
       g.offload || coalesce(', ' || g.ranks || iif(g.ranks = 1, ' rank', ' ranks'), '') || iif(g.plans_differ, ' ' || g.plan, '') AS runs,
       round(avg(p.compute_ns) / 1e6, 3) AS compute_ms,
       round(avg(p.exposed_exchange_ns) / 1e6, 3) AS exposed_exchange_ms,
       round(avg(p.both_exposed_ns) / 1e6, 3) AS both_exposed_ms,
       round(avg(p.exposed_transfer_ns) / 1e6, 3) AS exposed_transfer_ms,
       round(avg(p.peers_ns + p.peers_transfer_ns) / 1e6, 3) AS waits_for_peers_ms,
       round(avg(p.host_ns) / 1e6, 3) AS waits_for_host_ms,
       round(avg(p.idle_ns) / 1e6, 3) AS idle_ms
FROM current_attempt a
JOIN labelled g ON g.run_id = a.run_id
JOIN rank r ON r.attempt_id = a.id
JOIN step_part p ON p.rank_id = r.id
GROUP BY g.sweep_id, g.problem, g.ranks, g.plan, g.offload
ORDER BY g.sweep, g.problem, g.ranks, g.plan, avg(p.compute_ns + p.exposed_exchange_ns + p.both_exposed_ns +
         p.exposed_transfer_ns + p.peers_ns + p.peers_transfer_ns + p.host_ns + p.idle_ns);
