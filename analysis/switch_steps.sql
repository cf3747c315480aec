-- At which step did each run change experts, and is that where it should?
-- expected: by the flow_shift and boundary used; catalog: by the model's official ones; used: as the loop did.
SELECT sweep, run, flow_shift, schedule, expected, catalog, used, steps, verdict
FROM switch_steps_all
WHERE superseded = 0
ORDER BY sweep, run;
