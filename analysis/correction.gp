# Columns: step, ms, switch step, total seconds.
set xlabel "step (dashed lines: first step of the low-noise expert, before and after)"
set ylabel "step time (ms)"
set yrange [0:*]
do for [i = 0:series - 1] {
  if (has(i, 3)) {
    stats data index i using 3 nooutput
    set arrow from STATS_min, graph 0 to STATS_min, graph 1 nohead dashtype 2 linetype (i == 0 ? 7 : 8) linewidth 1.5
  }
}
plot for [i = 0:series - 1] data index i using 1:2 with linespoints linetype (i == 0 ? 7 : 8) pointinterval 3 title columnheader(1)
