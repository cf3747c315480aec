-- Which runs, including those that a correction replaced (superseded = 1), used a setting that is not the model's official one or that nobody told?
-- One row for each such setting of a run. used is empty where nobody told the value, catalog where nobody told the model. The switch steps
-- follow from the settings used, and from the catalog's.
SELECT p.name AS sweep, r.name AS run, s.name AS setting, s.value AS used, s.origin, s.catalog_value AS catalog,
       iif(s.name IN ('flow_shift', 'boundary_ratio'), r.expected_switch, NULL) AS expected_switch,
       iif(s.name IN ('flow_shift', 'boundary_ratio'), r.catalog_switch, NULL) AS catalog_switch,
       r.superseded_by IS NOT NULL AS superseded
FROM setting s
JOIN run r ON r.id = s.run_id
JOIN sweep p ON p.id = r.sweep_id
WHERE (s.catalog_value IS NOT NULL AND s.value IS NOT s.catalog_value)
   OR (s.origin = 'unknown' AND s.name IN ('model_id', 'flow_shift', 'guidance_scale'))
ORDER BY p.name, r.name, s.name;
