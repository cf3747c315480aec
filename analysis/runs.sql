-- What became of each run?
-- Its latest attempt, and in one line why it is not complete. first_load: bringing the first weights to the device, before step
-- 1. nonfinite_values: of the final latents; empty: not counted.
SELECT sweep, run, attempt, state, exit_code, signal, problem, started_at, finished_at, first_load_s,
       nonfinite_values, directory
FROM runs_all
WHERE superseded = 0
ORDER BY sweep, run;
