-- Did all runs see the same machine and the same software?
-- One row for each value that some runs saw and others did not, on the same rank. Values that Slurm gives each job anew, and the times of loading, are
-- left out.
WITH seen AS (
  SELECT g.sweep, g.sweep_id, e.name, r.rank, e.value, g.run_id
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN rank r ON r.attempt_id = a.id
  JOIN environment e ON e.rank_id = r.id
  WHERE e.name NOT IN ('rank', 'ranks', 'weights_loaded_s', 'warm_up_s') AND e.name NOT LIKE 'variables.SLURM%'
    AND e.name NOT LIKE 'host_store.%_s' AND e.name NOT LIKE 'transport.%_because'
), differing AS (
  SELECT DISTINCT s.sweep_id, s.name
  FROM seen s
  JOIN (SELECT sweep_id, rank, count(DISTINCT run_id) AS runs FROM seen GROUP BY sweep_id, rank) n
    ON n.sweep_id = s.sweep_id AND n.rank = s.rank
  GROUP BY s.sweep_id, s.name, s.rank
  HAVING count(DISTINCT s.value) > 1 OR count(DISTINCT s.run_id) < n.runs
)
SELECT s.sweep, s.name, s.value, count(DISTINCT s.run_id) AS runs, count(*) AS ranks, min(r.name) AS for_example
FROM seen s
JOIN differing d ON d.sweep_id = s.sweep_id AND d.name = s.name
JOIN run r ON r.id = s.run_id
GROUP BY s.sweep_id, s.name, s.value
ORDER BY s.sweep, s.name, count(DISTINCT s.run_id) DESC, s.value;
