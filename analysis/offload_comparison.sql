-- What does each way of moving weights cost, against both experts resident on the device, and is that more than noise?
-- Times are medians over the repeats (runs). spike: the switch step's time above the median step. overhead: total compared with resident's;
-- beyond_noise: every repeat of one is faster than every repeat of the other. exposed (the time of copies during which no compute ran) and
-- peak are those of the rank that had most. exchange_moving: the time of exchanges while their data moved, without waiting for the last rank
-- (`timeline` has that), as the mean over the ranks. first_load: the time of loading the first weights, which is not part of
-- total; empty when a trace did not record it. same_latents: whether all modes gave the same latents bit for bit; `not finite`: some latents are
-- infinite or NaN, so equality means nothing; `yes, if finite`: infinite and NaN values were not counted.
SELECT sweep, configuration, ranks, plan, offload, runs, total_s, median_step_s, switch_step, spike_s, overhead_percent,
       beyond_noise, peak_device_gib, exposed_s, exchange_moving_s, first_load_s, same_latents
FROM offload_comparison_all
WHERE superseded = 0
ORDER BY sweep, configuration, total_s;
