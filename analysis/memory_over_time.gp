# Columns: seconds, MiB in use, peak MiB.
set xlabel "time since the first step (s)"
set ylabel "device memory (MiB)"
set yrange [0:*]
plot for [i = 0:series - 1] data index i using 1:2 with linespoints linetype lt(i) pointinterval 3 title columnheader(1), \
     for [i = 0:series - 1] data index i using 1:3 with lines linetype lt(i) linewidth 1 dashtype 3 notitle
