-- What does the change of experts cost: how much longer is the switch step than the median step, and why?
-- Times are means over the repeats. copied, exposed (the time of copies during which no compute ran) and waited_for_weights are those of the switch
-- step, each on the rank that had most.
WITH at_switch AS (
  SELECT a.id AS attempt_id, max(s.h2d_bytes + s.d2h_bytes) AS bytes, max(s.exposed_transfer_ns) AS exposed_ns,
         max(s.stall_weights_ns) AS waited_ns
  FROM current_attempt a
  JOIN attempt_time t ON t.attempt_id = a.id
  JOIN rank r ON r.attempt_id = a.id
  JOIN step_summary s ON s.rank_id = r.id AND s.step = t.switch_step
  GROUP BY a.id
)
SELECT g.sweep, g.configuration, g.offload, count(*) AS runs, min(t.switch_step) AS switch_step,
       round(avg(t.median_step_ns) / 1e9, 4) AS median_step_s,
       round(avg(t.switch_step_ns) / 1e9, 4) AS switch_step_s,
       round(avg(t.spike_ns) / 1e9, 4) AS spike_s,
       round(100 * avg(t.spike_ns) / avg(t.total_ns), 1) AS spike_percent_of_total,
       round(avg(x.bytes) / 1073741824, 4) AS copied_gib,
       round(avg(x.exposed_ns) / 1e9, 4) AS exposed_s,
       round(avg(x.waited_ns) / 1e9, 4) AS waited_for_weights_s
FROM current_attempt a
JOIN run_settings g ON g.run_id = a.run_id
JOIN attempt_time t ON t.attempt_id = a.id
LEFT JOIN at_switch x ON x.attempt_id = a.id
WHERE t.switch_step IS NOT NULL
GROUP BY g.sweep_id, g.work, g.offload
ORDER BY g.sweep, g.configuration, avg(t.spike_ns);
