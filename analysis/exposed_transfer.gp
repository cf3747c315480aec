# Columns: seconds hidden, seconds exposed; a series has one row, and becomes a bar.
stats data using ($1 + $2) nooutput
by = s_by(STATS_max)
set ylabel sprintf("copying (%s)", s_unit(STATS_max))
set style fill solid 1.0 border linecolor rgb "#555555"
set key maxrows 1
set boxwidth 0.6
set yrange [0:*]
set xrange [-0.7:series - 0.3]
set xtics () scale 0
if (series > 4) { set xtics rotate by -30 }
do for [i = 0:series - 1] { set xtics add (word(names, i + 1) i) }
plot for [i = 0:series - 1] data index i using (i):(($1 + $2) / by) with boxes linecolor rgb exposed linewidth 0.3 dashtype 1 notitle, \
     for [i = 0:series - 1] data index i using (i):($1 / by) with boxes linecolor rgb hidden linewidth 0.3 dashtype 1 notitle, \
     keyentry with boxes linecolor rgb exposed linewidth 0.3 title "exposed", \
     keyentry with boxes linecolor rgb hidden linewidth 0.3 title "hidden behind compute"
