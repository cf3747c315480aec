-- Does it fit: how much memory did each way of moving weights need, on which rank and in which step?
-- peak_device: the highest use on any rank in any repeat, first reached by at_rank in at_step; least_rank: the peak of the rank that used least.
-- peak_host: the host store of the rank that had most; peak_host_all_ranks: the host stores of all ranks of the run together. limit: the setting
-- device_memory, if it was set.
WITH per_rank AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, g.device_memory_gib, a.id AS attempt_id, r.id AS rank_id,
         r.rank, max(m.device_peak) AS device_peak, max(m.host_peak) AS host_peak
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN rank r ON r.attempt_id = a.id
  JOIN memory m ON m.rank_id = r.id
  GROUP BY r.id
), ordered AS (
  SELECT *, row_number() OVER (PARTITION BY sweep_id, work, offload ORDER BY device_peak DESC, attempt_id, rank) AS at,
         sum(host_peak) OVER (PARTITION BY attempt_id) AS host_all
  FROM per_rank
), grouped AS (
  SELECT sweep, offload, max(configuration) AS configuration, max(device_peak) AS device_peak,
         min(device_peak) AS least_peak, max(rank) FILTER (WHERE at = 1) AS at_rank,
         max(rank_id) FILTER (WHERE at = 1) AS at_rank_id, max(device_memory_gib) AS device_memory_gib,
         max(host_peak) AS host_peak, max(host_all) AS host_all
  FROM ordered
  GROUP BY sweep_id, work, offload
)
SELECT sweep, configuration, offload,
       round(device_peak / 1073741824.0, 4) AS peak_device_gib,
       at_rank,
       (SELECT m.step FROM memory m WHERE m.rank_id = at_rank_id ORDER BY m.device_peak DESC, m.n LIMIT 1) AS at_step,
       round(least_peak / 1073741824.0, 4) AS least_rank_gib,
       nullif(device_memory_gib, 0) AS limit_gib,
       round(host_peak / 1073741824.0, 4) AS peak_host_gib,
       round(host_all / 1073741824.0, 4) AS peak_host_all_ranks_gib
FROM grouped
ORDER BY sweep, configuration, device_peak;
