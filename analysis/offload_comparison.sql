-- What does each way of moving weights cost, against both experts resident on the device, and is that more than noise?
-- Times are medians over the repeats (runs). spike: the switch step above the median step. overhead: of total over
-- resident's; beyond_noise: no repeat of the one is as fast as any of the other. exposed: copies while no compute ran, and
-- all_to_all: exchanges, both of the rank that had most. peak: of the rank that had most. first_load: bringing the
-- first weights to the device, which is no part of total; empty where a trace did not record it. same_latents: all modes, bit
-- for bit; `not finite`: so they are, with infinities or NaN in them; `yes, if finite`: nobody counted those.
SELECT sweep, configuration, ranks, plan, offload, runs, total_s, median_step_ms, switch_step, spike_ms, overhead_percent,
       beyond_noise, peak_device_mib, exposed_ms, all_to_all_ms, first_load_ms, same_latents
FROM offload_comparison_all
WHERE superseded = 0
ORDER BY sweep, configuration, total_s;
