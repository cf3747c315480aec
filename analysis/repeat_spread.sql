-- How far do repeats of one configuration lie apart, and did they compute the same?
-- spread: the slowest repeat minus the fastest, in percent of the median; empty for a single run. A difference between modes that is smaller than
-- the spread is not significant. same_latents: whether all repeats gave the same latents bit for bit; `not finite`: some latents are infinite or NaN, so equality means
-- nothing; `yes, if finite`: infinite and NaN values were not counted; empty: some run left no latents.
WITH ordered AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, g.configuration, g.run, t.total_ns, a.latents_digest, a.nonfinite_values,
         count(*) OVER k AS runs, row_number() OVER (k ORDER BY t.total_ns, g.run) AS at
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN attempt_time t ON t.attempt_id = a.id
  WINDOW k AS (PARTITION BY g.sweep_id, g.work, g.offload)
), grouped AS (
  SELECT sweep, offload, max(configuration) AS configuration, max(runs) AS runs, min(total_ns) AS fastest_ns,
         max(total_ns) AS slowest_ns, max(run) FILTER (WHERE at = runs) AS slowest_run,
         avg(total_ns) FILTER (WHERE at IN ((runs + 1) / 2, (runs + 2) / 2)) AS median_ns,
         count(DISTINCT latents_digest) AS digests, count(latents_digest) AS with_digest, max(nonfinite_values) AS nonfinite,
         count(nonfinite_values) = count(*) AS counted
  FROM ordered
  GROUP BY sweep_id, work, offload
)
SELECT sweep, configuration, offload, runs,
       round(fastest_ns / 1e9, 3) AS fastest_s,
       round(median_ns / 1e9, 3) AS median_s,
       round(slowest_ns / 1e9, 3) AS slowest_s,
       iif(runs > 1, round(100.0 * (slowest_ns - fastest_ns) / median_ns, 1), NULL) AS spread_percent,
       slowest_run,
       CASE WHEN runs < 2 THEN NULL WHEN nonfinite > 0 THEN 'not finite' WHEN digests > 1 THEN 'no'
            WHEN with_digest < runs THEN NULL WHEN counted THEN 'yes' ELSE 'yes, if finite' END AS same_latents
FROM grouped
ORDER BY sweep, configuration, offload;
