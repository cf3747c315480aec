-- What does each way of moving weights cost, against both experts resident on the device?
-- U x R: Ulysses x ring ranks, with "2x" in front when the guidance is split. total, step, spike, bare, a2a: seconds,
-- medians over the repeats. switch: first step of the low-noise expert; spike: its time above the median step. over %: total
-- above resident's. MiB: most device memory of any rank. bare: transfers while no compute ran; a2a: all-to-all; both of the
-- rank that had most. same: all modes gave the same latents bit for bit.
SELECT ranks,
       iif(cfg > 1, cfg || 'x', '') || coalesce(ulysses, '?') || 'x' || coalesce(ring, '?') AS "U x R",
       round(flow_shift, 2) AS shift,
       offload,
       runs,
       round(total_s, 2) AS total,
       round(step_s, 3) AS step,
       switch_step AS "switch",
       round(spike_s, 3) AS spike,
       round(overhead_percent, 1) AS "over %",
       round(device_peak_mib, 1) AS MiB,
       round(exposed_transfer_s, 3) AS bare,
       round(all_to_all_s, 3) AS a2a,
       same_latents AS same
FROM offload_comparison
ORDER BY sweep, model_id, size, frames, ranks, cfg, ulysses, ring, flow_shift, total_s;
