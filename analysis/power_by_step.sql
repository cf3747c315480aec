-- How much power did each device draw, and at what clock did it run, in each step?
-- One row for each step and rank. energy: the energy since the end of the step before; power_w: the mean power over that time; power_end_w, clock and
-- temperature: the values at the end of the step. The limits are the card's: when the clock is far below max_clock_mhz and the power is near limit_w,
-- the power limit has lowered the clock. Values are empty when they were not measured: the device does not report them (CPU backend, other engines),
-- or an older version gathered the database.
WITH sampled AS (
  SELECT rank_id, step, power_mw, sm_clock_mhz, temperature_c,
         energy_mj - lag(energy_mj) OVER of_rank AS energy_mj, time_ns - lag(time_ns) OVER of_rank AS time_ns
  FROM power
  WINDOW of_rank AS (PARTITION BY rank_id ORDER BY n)
), card AS (
  SELECT rank_id, CAST(max(value) FILTER (WHERE name = 'device.power_limit_mw') AS REAL) AS limit_mw,
         CAST(max(value) FILTER (WHERE name = 'device.clocks_mhz.max_sm') AS INTEGER) AS max_clock_mhz
  FROM environment
  WHERE name IN ('device.power_limit_mw', 'device.clocks_mhz.max_sm')
  GROUP BY rank_id
)
SELECT g.sweep, g.run, g.configuration, g.offload, r.rank, s.step, s.expert,
       round(s.duration_ns / 1e6, 2) AS step_ms,
       round(p.energy_mj / 1e3, 3) AS energy_j,
       round(1e6 * p.energy_mj / nullif(p.time_ns, 0), 1) AS power_w,
       round(p.power_mw / 1e3, 1) AS power_end_w,
       round(c.limit_mw / 1e3, 1) AS limit_w,
       p.sm_clock_mhz AS clock_mhz, c.max_clock_mhz, p.temperature_c
FROM current_attempt a
JOIN run_settings g ON g.run_id = a.run_id
JOIN rank r ON r.attempt_id = a.id
JOIN step s ON s.rank_id = r.id
LEFT JOIN sampled p ON p.rank_id = r.id AND p.step = s.step
LEFT JOIN card c ON c.rank_id = r.id
ORDER BY g.sweep, g.run, r.rank, s.step;
