-- What did the machine achieve: how many GB/s in copies and exchanges, how many TFLOP/s in attention and matrix products?
-- The rates of one rank over all events of a kind, of steps 1 and later. time: the mean of the ranks. GB/s: 1e9 bytes a second; an exchange counts only while data
-- moved. TFLOP/s: 1e12 operations a second, counted from the model's sizes. Matrix products are divided by the whole time of compute, small kernels included;
-- with trace_detail = "step", attention is included too.
WITH ranks AS (
  SELECT attempt_id, count(*) AS ranks
  FROM rank
  WHERE events > 0
  GROUP BY attempt_id
), has_attention AS (
  SELECT a.id AS attempt_id, max(e.kind = 1) AS attention_apart
  FROM current_attempt a
  JOIN event_spread e ON e.attempt_id = a.id
  GROUP BY a.id
), sums AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, max(g.configuration) AS configuration, e.kind,
         sum(e.events) AS events, sum(e.bytes) AS bytes, sum(e.total_ns) AS total_ns, sum(n.ranks) AS ranks,
         sum(CASE e.kind WHEN 0 THEN r.product_flop + iif(h.attention_apart, 0, r.attention_flop)
                         WHEN 1 THEN r.attention_flop END) AS flop
  FROM current_attempt a
  JOIN run r ON r.id = a.run_id
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN ranks n ON n.attempt_id = a.id
  JOIN has_attention h ON h.attempt_id = a.id
  JOIN event_spread e ON e.attempt_id = a.id AND e.part = iif(e.kind IN (2, 3), 1, 0) AND e.kind NOT IN (6, 7)
  GROUP BY g.sweep_id, g.work, g.offload, e.kind
)
SELECT s.sweep, s.configuration, s.offload, k.name AS kind, s.events,
       round(s.total_ns / 1e9 / s.ranks, 4) AS time_s,
       round(1.0 * nullif(s.bytes, 0) / nullif(s.total_ns, 0), 4) AS gb_per_s,
       round(s.flop / nullif(s.total_ns, 0) / 1e3, 4) AS tflop_per_s
FROM sums s
JOIN event_kind k ON k.id = s.kind
ORDER BY s.sweep, s.configuration, s.offload, s.kind;
