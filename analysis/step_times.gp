# Columns: step, ms, switch step.
stats everything using 2 nooutput
by = ms_by(STATS_max)
set xlabel "step (dashed line: first step of the low-noise expert)"
set ylabel sprintf("step time (%s)", ms_unit(STATS_max))
top = end_of(STATS_max / by)
if (has(0, 3)) {
  stats data index 0 using 3 nooutput
  set arrow from STATS_min, graph 0 to STATS_min, graph 1 nohead dashtype 2 linecolor rgb "black"
}
set yrange [0:top]  # after `stats`, which counts no row outside
plot for [i = 0:series - 1] data index i using 1:($2 / by) with linespoints linetype lt(i) pointinterval 3 title columnheader(1)
