# Columns: seconds, MiB in use, peak MiB.
stats everything using 3 nooutput
by = mib_by(STATS_max)
set xlabel "time since the first step (s)"
set ylabel sprintf("device memory (%s)", mib_unit(STATS_max))
set yrange [0:end_of(STATS_max / by)]
plot for [i = 0:series - 1] data index i using 1:($2 / by) with linespoints linetype lt(i) pointinterval 3 title columnheader(1), \
     for [i = 0:series - 1] data index i using 1:($3 / by) with lines linetype lt(i) linewidth 1 dashtype 3 notitle
