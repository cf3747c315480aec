-- What did a correction change?
-- One row for each step of a run that a later run replaced, once for the old run (before) and once for the new one (after). Both sweeps show these
-- rows. Times are means over the repeats.
WITH pair AS (
  SELECT o.id AS run_id, o.sweep_id, o.id AS old_id, 'before' AS moment
  FROM run o
  WHERE o.superseded_by IS NOT NULL
  UNION ALL
  SELECT o.superseded_by, o.sweep_id, o.id, 'after'
  FROM run o
  WHERE o.superseded_by IS NOT NULL
), sweeps AS (
  SELECT DISTINCT p.old_id, r.sweep_id
  FROM pair p
  JOIN run r ON r.id = p.run_id
)
SELECT w.name AS sweep, b.configuration || ', ' || b.offload AS configuration, p.moment, t.step,
       round(avg(t.duration_ns) / 1e6, 3) AS step_ms,
       min(x.switch_step) AS switch_step,
       round(avg(x.total_ns) / 1e9, 3) AS total_s
FROM pair p
JOIN sweeps s ON s.old_id = p.old_id
JOIN sweep w ON w.id = s.sweep_id
JOIN run_settings b ON b.run_id = p.old_id
JOIN newest_attempt a ON a.run_id = p.run_id
JOIN attempt_time x ON x.attempt_id = a.id
JOIN step_time t ON t.attempt_id = a.id
GROUP BY w.id, b.work, b.offload, p.moment, t.step
ORDER BY w.name, 2, p.moment DESC, t.step;
