-- For what did the compute stream wait, how long, and when most?
-- Times are summed over the steps; means over ranks and repeats. percent: of the total time. worst_step: the step in which all ranks together waited longest.
WITH per_step AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, s.step, t.switch_step, c.name AS cause,
         sum(CASE c.id WHEN 1 THEN s.stall_weights_ns WHEN 2 THEN s.stall_peers_ns ELSE s.stall_host_ns END) AS waited_ns
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  JOIN rank r ON r.attempt_id = a.id
  JOIN step_summary s ON s.rank_id = r.id AND s.step > 0
  CROSS JOIN stall_cause c
  WHERE c.id > 0
  GROUP BY g.sweep_id, g.work, g.offload, c.id, s.step
), ranks AS (
  SELECT g.sweep_id, g.work, g.offload, sum(a.ranks) AS ranks, sum(a.ranks * t.total_ns) AS total_ns
  FROM (SELECT b.id, b.run_id, count(*) AS ranks
        FROM current_attempt b
        JOIN rank r ON r.attempt_id = b.id AND r.events > 0
        GROUP BY b.id) a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  GROUP BY g.sweep_id, g.work, g.offload
)
SELECT p.sweep, max(p.configuration) AS configuration, p.offload, p.cause,
       round(sum(p.waited_ns) / 1e9 / n.ranks, 4) AS waited_s,
       round(100.0 * sum(p.waited_ns) / n.total_ns, 1) AS percent_of_total,
       round(sum(p.waited_ns) FILTER (WHERE p.step = p.switch_step) / 1e9 / n.ranks, 4) AS at_switch_s,
       (SELECT w.step FROM per_step w
        WHERE w.sweep_id = p.sweep_id AND w.work = p.work AND w.offload = p.offload AND w.cause = p.cause
        ORDER BY w.waited_ns DESC, w.step LIMIT 1) AS worst_step,
       round(max(p.waited_ns) / 1e9 / n.ranks, 4) AS worst_step_s
FROM per_step p
JOIN ranks n ON n.sweep_id = p.sweep_id AND n.work = p.work AND n.offload = p.offload
GROUP BY p.sweep_id, p.work, p.offload, p.cause
HAVING sum(p.waited_ns) > 0
ORDER BY p.sweep, 2, p.offload, sum(p.waited_ns) DESC;
