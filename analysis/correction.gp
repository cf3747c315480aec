# Columns: step, ms, switch step, total seconds. Series: before (grey) and after.
stats everything using 2 nooutput
by = ms_by(STATS_max)
set xlabel "step (dashed: first step of the low-noise expert)"
set ylabel sprintf("step time (%s)", ms_unit(STATS_max))
top = end_of(STATS_max / by)
array ink[2] = ["#7F7F7F", "black"]
do for [i = 0:series - 1] {
  if (has(i, 3)) {
    stats data index i using 3 nooutput
    set arrow from STATS_min, graph 0 to STATS_min, graph 1 nohead dashtype 2 linecolor rgb ink[i + 1] linewidth 1.5
  }
}
set yrange [0:top]  # after `stats`, which counts no row outside
plot for [i = 0:series - 1] data index i using 1:($2 / by) with linespoints linecolor rgb ink[i + 1] linewidth 2 dashtype 1 \
       pointtype (i == 0 ? 6 : 7) pointsize 0.5 pointinterval 3 title columnheader(1)
