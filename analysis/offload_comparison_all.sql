-- What does each way of moving weights cost, with the runs that a correction replaced (superseded = 1)?
-- Times are medians over the repeats (runs). spike: the switch step's time above the median step. overhead: total compared with resident's;
-- beyond_noise: every repeat of one is faster than every repeat of the other. exposed (the time of copies during which no compute ran) and
-- peak are those of the rank that had most. exchange_moving: the time of exchanges while their data moved, without waiting for the last rank
-- (`timeline` has that), as the mean over the ranks. first_load: the time of loading the first weights, which is not part of
-- total; empty when a trace did not record it. same_latents: whether all modes gave the same latents bit for bit; `not finite`: some latents are
-- infinite or NaN, so equality means nothing; `yes, if finite`: infinite and NaN values were not counted.
WITH one AS (
  SELECT g.sweep, g.sweep_id, r.superseded_by IS NOT NULL AS superseded, g.configuration, g.work, g.ranks, g.plan, g.offload, t.total_ns, t.median_step_ns,
         t.switch_step, t.spike_ns, w.device_peak, w.exposed_transfer_ns, x.moving_ns, l.first_load_ns, a.latents_digest,
         a.nonfinite_values
  FROM newest_attempt a
  JOIN run r ON r.id = a.run_id
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  LEFT JOIN attempt_waits w ON w.attempt_id = a.id
  LEFT JOIN attempt_exchanges x ON x.attempt_id = a.id
  LEFT JOIN attempt_load l ON l.attempt_id = a.id
), ordered AS (
  SELECT *, count(*) OVER k AS runs,
         row_number() OVER (k ORDER BY total_ns) AS total_at,
         row_number() OVER (k ORDER BY median_step_ns) AS step_at,
         row_number() OVER (k ORDER BY spike_ns) AS spike_at,
         row_number() OVER (k ORDER BY exposed_transfer_ns) AS exposed_at,
         row_number() OVER (k ORDER BY moving_ns) AS moving_at,
         row_number() OVER (k ORDER BY first_load_ns) AS first_load_at
  FROM one
  WINDOW k AS (PARTITION BY sweep_id, superseded, work, offload)
), grouped AS (
  SELECT sweep, sweep_id, superseded, work, offload, max(configuration) AS configuration, max(ranks) AS ranks, max(plan) AS plan,
         max(runs) AS runs, min(switch_step) AS switch_step, max(device_peak) AS device_peak,
         min(total_ns) AS fastest_ns, max(total_ns) AS slowest_ns,
         avg(total_ns) FILTER (WHERE total_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS total_ns,
         avg(median_step_ns) FILTER (WHERE step_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS step_ns,
         avg(spike_ns) FILTER (WHERE spike_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS spike_ns,
         avg(exposed_transfer_ns) FILTER (WHERE exposed_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS exposed_ns,
         avg(moving_ns) FILTER (WHERE moving_at IN ((runs + 1) / 2, (runs + 2) / 2)) AS moving_ns,
         iif(count(first_load_ns) = count(*),
             avg(first_load_ns) FILTER (WHERE first_load_at IN ((runs + 1) / 2, (runs + 2) / 2)), NULL) AS first_load_ns
  FROM ordered
  GROUP BY sweep_id, superseded, work, offload
), same AS (
  SELECT sweep_id, superseded, work, count(DISTINCT offload) AS modes, count(DISTINCT latents_digest) AS digests,
         max(nonfinite_values) AS nonfinite, count(nonfinite_values) = count(*) AS counted
  FROM one
  GROUP BY sweep_id, superseded, work
)
SELECT g.sweep, g.configuration, g.ranks, g.plan, g.offload, g.runs,
       round(g.total_ns / 1e9, 3) AS total_s,
       round(g.step_ns / 1e9, 4) AS median_step_s,
       g.switch_step,
       round(g.spike_ns / 1e9, 4) AS spike_s,
       round(100.0 * (g.total_ns / b.total_ns - 1), 1) AS overhead_percent,
       CASE WHEN g.offload = 'resident' OR b.total_ns IS NULL OR g.runs < 2 OR b.runs < 2 THEN NULL
            WHEN g.fastest_ns > b.slowest_ns OR g.slowest_ns < b.fastest_ns THEN 'yes'
            ELSE 'no' END AS beyond_noise,
       round(g.device_peak / 1073741824.0, 4) AS peak_device_gib,
       round(g.exposed_ns / 1e9, 4) AS exposed_s,
       round(g.moving_ns / 1e9, 4) AS exchange_moving_s,
       round(g.first_load_ns / 1e9, 4) AS first_load_s,
       CASE WHEN s.modes < 2 OR s.digests = 0 THEN NULL WHEN s.nonfinite > 0 THEN 'not finite' WHEN s.digests <> 1 THEN 'no'
            WHEN s.counted THEN 'yes' ELSE 'yes, if finite' END AS same_latents,
       g.superseded
FROM grouped g
JOIN same s ON s.sweep_id = g.sweep_id AND s.superseded = g.superseded AND s.work = g.work
LEFT JOIN grouped b ON b.sweep_id = g.sweep_id AND b.superseded = g.superseded AND b.work = g.work AND b.offload = 'resident'
ORDER BY g.sweep, g.superseded, g.configuration, g.total_ns;
