-- Do weights and exchanges slow each other down where they share a wire?
-- The rate of copies (h2d, d2h) with and without an exchange (all_to_all, ring) at the same time, and the other way round.
-- alone: nothing of the other sort ran on the host; beside: it ran on the rank itself for at least half of the event's time;
-- beside_peers: so it did on other ranks of the host, and never on the rank itself. GB/s: 1e9 bytes. peers_same_percent: the
-- share of the time in which another rank of the host had one of the same kind: where they share a link, they halve it too.
WITH sums AS (
  SELECT g.sweep, g.sweep_id, g.work, g.offload, max(g.configuration) AS configuration, t.kind,
         sum(t.events) FILTER (WHERE t.beside = 0 AND t.peers = 0) AS alone,
         sum(t.events) FILTER (WHERE t.beside = 2) AS beside,
         sum(t.events) FILTER (WHERE t.beside = 0 AND t.peers = 2) AS beside_peers,
         1.0 * sum(t.bytes) FILTER (WHERE t.beside = 0 AND t.peers = 0)
           / sum(t.duration_ns) FILTER (WHERE t.beside = 0 AND t.peers = 0) AS alone_gbs,
         1.0 * sum(t.bytes) FILTER (WHERE t.beside = 2) / sum(t.duration_ns) FILTER (WHERE t.beside = 2) AS beside_gbs,
         1.0 * sum(t.bytes) FILTER (WHERE t.beside = 0 AND t.peers = 2)
           / sum(t.duration_ns) FILTER (WHERE t.beside = 0 AND t.peers = 2) AS beside_peers_gbs,
         100.0 * sum(t.with_peers_same_ns) / sum(t.duration_ns) AS peers_same_percent
  FROM current_attempt a
  JOIN run_settings g ON g.run_id = a.run_id
  JOIN rank r ON r.attempt_id = a.id
  JOIN traffic t ON t.rank_id = r.id AND t.step > 0
  GROUP BY g.sweep_id, g.work, g.offload, t.kind
)
SELECT s.sweep, s.configuration, s.offload, k.name AS kind,
       coalesce(s.alone, 0) AS events_alone,
       coalesce(s.beside, 0) AS events_beside,
       coalesce(s.beside_peers, 0) AS events_beside_peers,
       round(s.alone_gbs, 4) AS alone_gb_per_s,
       round(s.beside_gbs, 4) AS beside_gb_per_s,
       round(s.beside_peers_gbs, 4) AS beside_peers_gb_per_s,
       round(100 * (1 - s.beside_gbs / s.alone_gbs), 1) AS slower_percent,
       round(100 * (1 - s.beside_peers_gbs / s.alone_gbs), 1) AS slower_beside_peers_percent,
       round(s.peers_same_percent, 1) AS peers_same_percent
FROM sums s
JOIN event_kind k ON k.id = s.kind
ORDER BY s.sweep, s.configuration, s.offload, s.kind;
