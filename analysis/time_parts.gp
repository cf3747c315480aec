# Columns: the seven parts of the mean step (ms); a series is a bar: mode and ranks.
stats data using ($1 + $2 + $3 + $4 + $5 + $6 + $7) nooutput
by = ms_by(STATS_max)
set ylabel sprintf("mean step (%s)", ms_unit(STATS_max))
set style fill solid 1.0 border linecolor rgb "#555555"
set boxwidth 0.7
set yrange [0:*]
set xrange [-0.6:series - 0.4]
set xtics () scale 0
set bmargin 3.5
if (series > 6) { set xtics rotate by -35 font ",11"; set bmargin 7 }
set key maxrows 3 samplen 1 width -2 font ",11"
label(i) = (at = strstrt(word(names, i + 1), ", "), word(names, i + 1)[1:at - 1] . (series > 6 ? ", " : "\n") . word(names, i + 1)[at + 2:*])
do for [i = 0:series - 1] { set xtics add (label(i) i) }
plot for [c = 7:1:-1] for [i = 0:series - 1] data index i using (i):((sum [k = 1:c] column(k)) / by) with boxes \
       linecolor rgb part[c] linewidth 0.3 dashtype 1 notitle, \
     for [c = 1:7] keyentry with boxes linecolor rgb part[c] linewidth 0.3 title word(part_names, c)
