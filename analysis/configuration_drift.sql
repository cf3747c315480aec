-- Which runs used a setting that is not the model's official one, and where did the value come from?
SELECT run,
       setting,
       used,
       origin,
       catalog,
       iif(setting IN ('flow_shift', 'boundary_ratio'), expected_switch, NULL) AS "switch",
       iif(setting IN ('flow_shift', 'boundary_ratio'), catalog_switch, NULL) AS "switch by catalog"
FROM configuration_drift
ORDER BY sweep, run, setting;
