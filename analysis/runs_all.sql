-- What became of each run, including those that a correction replaced (superseded = 1)?
-- One row for each run, with its latest attempt and one line on why it is not complete. first_load: the time of loading the first weights, before step 1.
-- nonfinite_values: how many of the final latents are infinite or NaN; empty when not counted.
SELECT p.name AS sweep, r.name AS run, a.n AS attempt,
       CASE WHEN r.superseded_by IS NOT NULL THEN 'superseded'
            WHEN a.id IS NULL THEN 'not started'
            WHEN a.complete = 1 THEN 'complete'
            WHEN a.state = 'completed' THEN 'damaged'
            ELSE coalesce(a.state, 'running or lost') END AS state,
       a.exit_code, a.signal, a.problem, a.started_at, a.finished_at,
       round(l.first_load_ns / 1e9, 4) AS first_load_s, a.nonfinite_values, a.directory,
       r.superseded_by IS NOT NULL AS superseded
FROM run r
JOIN sweep p ON p.id = r.sweep_id
LEFT JOIN attempt a ON a.run_id = r.id AND a.n = (SELECT max(b.n) FROM attempt b WHERE b.run_id = r.id)
LEFT JOIN attempt_load l ON l.attempt_id = a.id
ORDER BY p.name, r.name;
