-- Which runs used another worker than the one that they were submitted with?
-- One row for each run whose worker's file was replaced between its submission and its start. The digests are the SHA-256 of the file.
SELECT g.sweep, g.run, submitted.value AS submitted_worker, started.value AS used_worker, used.value AS used_revision
FROM current_attempt a
JOIN run_settings g ON g.run_id = a.run_id
JOIN rank r ON r.attempt_id = a.id AND r.rank = 0
JOIN environment submitted ON submitted.rank_id = r.id AND submitted.name = 'submitted_worker_sha256'
JOIN environment started ON started.rank_id = r.id AND started.name = 'worker_sha256'
LEFT JOIN environment used ON used.rank_id = r.id AND used.name = 'git_revision'
WHERE submitted.value <> started.value
ORDER BY g.sweep, g.run;
