-- What does each way of moving weights cost, against both experts resident on the device, and is that more than noise?
-- Times are medians over the repeats (runs). spike: the switch step above the median step. overhead: of total over
-- resident's; beyond_noise: no repeat of the one is as fast as any of the other. exposed: copies while no compute ran, and
-- all_to_all: exchanges, both of the rank that had most. peak: of the rank that had most. first_load: bringing the
-- first weights to the device, which is no part of total; empty where a trace did not record it. same_latents: all modes, bit
-- for bit; `not finite`: some latents have infinities or NaN, and equal or not they say nothing; `yes, if finite`: nobody
-- counted those.
SELECT sweep, configuration, ranks, plan, offload, runs, total_s, median_step_s, switch_step, spike_s, overhead_percent,
       beyond_noise, peak_device_gib, exposed_s, all_to_all_s, first_load_s, same_latents
FROM offload_comparison_all
WHERE superseded = 0
ORDER BY sweep, configuration, total_s;
