-- At which step did each run change experts, and is that where it should?
-- by settings: from the flow_shift and boundary used; by catalog: from the model's official ones; used: as the loop did.
SELECT sweep,
       run,
       flow_shift AS shift,
       schedule,
       expected AS "by settings",
       catalog AS "by catalog",
       used,
       steps,
       CASE WHEN used IS NOT expected THEN 'not as set'
            WHEN catalog IS NOT NULL AND used IS NOT catalog THEN 'not the catalog''s'
            ELSE 'ok' END AS verdict
FROM switch_steps
ORDER BY sweep, run;
