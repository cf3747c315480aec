-- What became of each run?
-- Its latest attempt, and in one line why it is not complete.
SELECT run, attempt, state, exit_code AS exit, signal, problem AS why, directory
FROM runs
ORDER BY sweep, run;
