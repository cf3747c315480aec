-- At which step did each run, including those that a correction replaced (superseded = 1), change experts?
-- expected: the switch step that follows from the flow_shift and boundary used; catalog: the one that follows from the model's official settings;
-- used: the switch step of the loop. verdict: empty where nothing tells which expert made a step.
SELECT g.sweep, g.run, g.flow_shift, g.schedule, r.expected_switch AS expected, r.catalog_switch AS catalog,
       t.switch_step AS used, t.steps,
       CASE WHEN NOT EXISTS (SELECT 1 FROM step_time s WHERE s.attempt_id = a.id AND s.expert IS NOT NULL) THEN NULL
            WHEN t.switch_step IS NOT r.expected_switch THEN 'not as set'
            WHEN r.catalog_switch IS NOT NULL AND t.switch_step IS NOT r.catalog_switch THEN 'not the catalog''s'
            ELSE 'ok' END AS verdict,
       r.superseded_by IS NOT NULL AS superseded
FROM newest_attempt a
JOIN run r ON r.id = a.run_id
JOIN run_settings g ON g.run_id = r.id
JOIN attempt_time t ON t.attempt_id = a.id
ORDER BY g.sweep, g.run;
