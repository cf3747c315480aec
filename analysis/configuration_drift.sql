-- Which runs used a setting that is not the model's official one or that nobody told, and where did the value come from?
-- One row for each such setting of a run. used is empty where nobody told the value, catalog where nobody told the model. The switch steps
-- follow from the settings used, and from the catalog's.
SELECT sweep, run, setting, used, origin, catalog, expected_switch, catalog_switch
FROM configuration_drift_all
WHERE superseded = 0
ORDER BY sweep, run, setting;
