-- What does the change of experts cost: how much longer is the switch step than the median step, and why?
-- Times are medians over the repeats, as in `offload_comparison`. copied, exposed (the time of copies during which no compute ran) and
-- waited_for_weights are those of the switch step, each on the rank that had most.
WITH at_switch AS (
  SELECT a.id AS attempt_id, max(s.h2d_bytes + s.d2h_bytes) AS bytes, max(s.exposed_transfer_ns) AS exposed_ns,
         max(s.stall_weights_ns) AS waited_ns
  FROM current_attempt a
  JOIN attempt_time t ON t.attempt_id = a.id
  JOIN rank r ON r.attempt_id = a.id
  JOIN step_summary s ON s.rank_id = r.id AND s.step = t.switch_step
  GROUP BY a.id
), ordered AS (
  SELECT g.sweep, g.sweep_id, g.work, g.configuration, g.offload, t.switch_step, t.median_step_ns, t.switch_step_ns,
         t.spike_ns, t.total_ns, x.bytes, x.exposed_ns, x.waited_ns, count(*) OVER k AS runs,
         row_number() OVER (k ORDER BY t.median_step_ns) AS step_at,
         row_number() OVER (k ORDER BY t.switch_step_ns) AS switch_at,
         row_number() OVER (k ORDER BY t.spike_ns) AS spike_at,
         row_number() OVER (k ORDER BY t.total_ns) AS total_at,
         row_number() OVER (k ORDER BY x.exposed_ns) AS exposed_at,
         row_number() OVER (k ORDER BY x.waited_ns) AS waited_at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  LEFT JOIN at_switch x ON x.attempt_id = a.id
  WHERE t.switch_step IS NOT NULL
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload)
), grouped AS (
  SELECT sweep, max(configuration) AS configuration, offload, max(runs) AS runs, min(switch_step) AS switch_step,
         avg(bytes) AS bytes,
         avg(median_step_ns) FILTER (WHERE step_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS step_ns,
         avg(switch_step_ns) FILTER (WHERE switch_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS switch_ns,
         avg(spike_ns) FILTER (WHERE spike_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS spike_ns,
         avg(total_ns) FILTER (WHERE total_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS total_ns,
         avg(exposed_ns) FILTER (WHERE exposed_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS exposed_ns,
         avg(waited_ns) FILTER (WHERE waited_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS waited_ns
  FROM ordered
  GROUP BY sweep_id, work, offload
)
SELECT sweep, configuration, offload, runs, switch_step,
       round(step_ns / 1e9, 4) AS median_step_s,
       round(switch_ns / 1e9, 4) AS switch_step_s,
       round(spike_ns / 1e9, 4) AS spike_s,
       round(100 * spike_ns / total_ns, 1) AS spike_percent_of_total,
       round(bytes / 1073741824, 4) AS copied_gib,
       round(exposed_ns / 1e9, 4) AS exposed_s,
       round(waited_ns / 1e9, 4) AS waited_for_weights_s
FROM grouped
ORDER BY sweep, configuration, spike_ns;
