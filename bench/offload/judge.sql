-- Does `planned` meet its requirements on the CPU backend? For bench/offload/measure, over the runs that are done.
-- total: the time of the loop, as the median of the repeats; spread: the longest minus the shortest repeat, of the side where that is
-- larger. At equal memory, three blocks and half of an expert's blocks are compared with layerwise, and an expert and two blocks also
-- with swap and snapshot. The link is the bottleneck where the copies of a step of layerwise, in the order that planned is compared
-- with, take twice a resident step or more: where they take less, no way can be so much faster. The link
-- carries an expert within a step where the copy of an expert takes at most a resident step.
WITH setting_of AS (
  SELECT run_id, CAST(max(value) FILTER (WHERE name = 'ranks') AS INTEGER) AS ranks,
         max(value) FILTER (WHERE name = 'link') AS link,
         CAST(max(value) FILTER (WHERE name = 'link_bandwidth') AS REAL) AS rate,
         max(value) FILTER (WHERE name = 'offload') AS mode,
         max(value) FILTER (WHERE name = 'guidance_order') AS guidance,
         CASE WHEN max(value) FILTER (WHERE name = 'offload') <> 'planned' THEN 0
              ELSE CAST(max(value) FILTER (WHERE name = 'device_budget') AS REAL) END AS budget
  FROM setting
  GROUP BY run_id
), budgets AS (
  SELECT min(budget) AS three, max(budget) AS expert FROM setting_of WHERE mode = 'planned'
), one AS (
  SELECT s.*, t.total_ns / 1e9 AS total, t.median_step_ns / 1e9 AS step, t.switch_step_ns / 1e9 AS switch_step,
         (SELECT max(x.duration_ns) / 1e9 FROM step_time x WHERE x.attempt_id = a.id AND x.step <> t.switch_step) AS slowest,
         (SELECT avg(m.h2d_bytes) / 1e9 FROM rank r JOIN step_summary m ON m.rank_id = r.id AND m.step > 1
          WHERE r.attempt_id = a.id) * iif(s.link = 'shared', s.ranks, 1) / s.rate AS copies
  FROM current_attempt a
  JOIN setting_of s USING (run_id)
  JOIN attempt_time t ON t.attempt_id = a.id
), placed AS (
  SELECT *, count(*) OVER way AS runs,
         row_number() OVER (way ORDER BY total) AS by_total, row_number() OVER (way ORDER BY step) AS by_step,
         row_number() OVER (way ORDER BY switch_step - slowest) AS by_switch
  FROM one
  WINDOW way AS (PARTITION BY ranks, link, rate, mode, guidance, budget)
), way AS (
  SELECT ranks, link, rate, mode, guidance, budget, runs,
         avg(total) FILTER (WHERE by_total IN ((runs + 1) / 2, (runs + 2) / 2)) AS total,
         avg(step) FILTER (WHERE by_step IN ((runs + 1) / 2, (runs + 2) / 2)) AS step,
         avg(switch_step) FILTER (WHERE by_switch IN ((runs + 1) / 2, (runs + 2) / 2)) AS switch_step,
         avg(slowest) FILTER (WHERE by_switch IN ((runs + 1) / 2, (runs + 2) / 2)) AS slowest,
         max(total) - min(total) AS spread, avg(copies) AS copies
  FROM placed
  GROUP BY ranks, link, rate, mode, guidance, budget
), place AS (
  SELECT ranks, link, rate, step AS resident_step FROM way WHERE mode = 'resident'
), rival AS (
  SELECT p.ranks, p.link, p.rate, p.guidance, p.budget, p.total, p.spread, r.mode AS rival, r.total AS rival_total,
         r.spread AS rival_spread,
         row_number() OVER (PARTITION BY p.ranks, p.link, p.rate, p.guidance, p.budget ORDER BY r.total) AS at
  FROM way p
  JOIN way r USING (ranks, link, rate)
  JOIN budgets b
  WHERE p.mode = 'planned'
        AND (r.mode = 'layerwise' AND r.guidance = p.guidance OR p.budget = b.expert AND r.mode IN ('swap', 'snapshot'))
), judged AS (
  SELECT 1 AS n, 'planned is no slower than the best other mode at equal memory, within the spread' AS bar,
         printf('%s, planned %g GiB', guidance, budget) AS way, ranks, link, rate,
         printf('%.3f s, %s %.3f s, spread %.3f s', total, rival, rival_total, max(spread, rival_spread)) AS measured,
         CASE WHEN total - rival_total <= max(spread, rival_spread) THEN 'yes'
              ELSE printf('no, by %.1f %%', 100 * (total - rival_total - max(spread, rival_spread)) / rival_total) END AS met
  FROM rival
  WHERE at = 1
  UNION ALL
  SELECT 2, printf('half of the blocks, %s order: a step at least %.1f x faster than layerwise%s', p.guidance, w.wanted,
                   iif(w.same, ' in that order', '')),
         printf('%s, planned %g GiB', p.guidance, p.budget), p.ranks, p.link, p.rate,
         printf('%.2f x; layerwise copies %.2f of a resident step', l.step / p.step, l.copies / c.resident_step),
         CASE WHEN l.copies < 2 * c.resident_step THEN 'not judged: the link is not the bottleneck'
              WHEN l.step / p.step >= w.wanted THEN 'yes'
              ELSE printf('no, %.2f x too slow', w.wanted / (l.step / p.step)) END
  FROM way p
  JOIN (SELECT column1 AS guidance, column2 AS same, column3 AS wanted
        FROM (VALUES ('branch', 1, 1.5), ('block', 1, 1.5), ('block', 0, 1.8))) w ON w.guidance = p.guidance
  JOIN way l ON l.ranks = p.ranks AND l.link = p.link AND l.rate = p.rate AND l.mode = 'layerwise'
             AND l.guidance = iif(w.same, p.guidance, 'branch')
  JOIN place c ON c.ranks = p.ranks AND c.link = p.link AND c.rate = p.rate
  JOIN budgets b ON p.budget > b.three AND p.budget < b.expert
  WHERE p.mode = 'planned'
  UNION ALL
  SELECT 3, 'room for an expert and a little: the switch step is no longer than the longest other step',
         printf('%s, planned %g GiB', p.guidance, p.budget), p.ranks, p.link, p.rate,
         printf('%.3f s, longest other %.3f s', p.switch_step, p.slowest),
         CASE WHEN n.copies > c.resident_step THEN 'not judged: the link does not carry an expert within a step'
              WHEN p.switch_step <= p.slowest THEN 'yes'
              ELSE printf('no, by %.3f s', p.switch_step - p.slowest) END
  FROM way p
  JOIN budgets b ON p.budget = b.expert
  JOIN place c USING (ranks, link, rate)
  JOIN (SELECT ranks, link, rate, copies FROM way WHERE mode = 'layerwise' AND guidance = 'block') n USING (ranks, link, rate)
  WHERE p.mode = 'planned'
)
SELECT bar, ranks, link, rate AS link_gb_per_s, way, measured, met
FROM judged
ORDER BY n, bar, ranks, link, rate, way
