-- To version 10: what runs without events exchanged is null in the views, and so is a switch step that was concluded for an imported run
-- and that its steps contradict. The next gather reads such imports again, where their traces are still there.

UPDATE rank SET trace_sha256 = ''
WHERE attempt_id IN (SELECT a.id FROM attempt a JOIN setting s ON s.run_id = a.run_id
                     WHERE a.launcher IS NULL AND s.name = 'flow_shift' AND s.origin LIKE 'sglang-%');
UPDATE attempt SET fingerprint = ''
WHERE id IN (SELECT attempt_id FROM rank WHERE trace_sha256 = '');

PRAGMA user_version = 10;
