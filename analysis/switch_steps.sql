-- At which step did each run change experts, and is that where it should?
-- expected: the switch step that follows from the flow_shift and boundary used; catalog: the one that follows from the model's official settings;
-- used: the switch step of the loop. verdict: empty where nothing tells which expert made a step.
SELECT sweep, run, flow_shift, schedule, expected, catalog, used, steps, verdict
FROM switch_steps_all
WHERE superseded = 0
ORDER BY sweep, run;
