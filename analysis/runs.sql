-- What became of each run?
-- One row for each run, with its latest attempt and one line on why it is not complete. first_load: the time of loading the first weights, before step 1.
-- nonfinite_values: how many of the final latents are infinite or NaN; empty when not counted.
SELECT sweep, run, attempt, state, exit_code, signal, problem, started_at, finished_at, first_load_s,
       nonfinite_values, directory
FROM runs_all
WHERE superseded = 0
ORDER BY sweep, run;
