-- What became of each run?
-- Its latest attempt, and in one line why it is not complete.
SELECT sweep, run, attempt, state, exit_code, signal, problem, started_at, finished_at, directory
FROM runs_all
WHERE superseded = 0
ORDER BY sweep, run;
