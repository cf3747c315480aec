# Columns: ranks, plan, runs, median, fastest, slowest seconds. A series is a mode: a bar for each number of ranks.
spread = ""
known(k) = sum [j = 1:words(spread)] (word(spread, j) eq k)
note(k) = known(k) ? 0 : (spread = spread . " " . k, 0)
place(k) = sum [j = 1:words(spread)] (word(spread, j) eq k ? j : 0)
ranks_of(k) = k[1:strstrt(k, ",") - 1]
plan_of(k) = k[strstrt(k, ",") + 1:*]
stats data using (valid(4) ? note(strcol(1) . "," . strcol(2)) : 0, $4) nooutput
stats everything using 6 nooutput
by = s_by(STATS_max)
set ylabel sprintf("one run (%s)", s_unit(STATS_max))
set yrange [0:end_of(STATS_max / by)]
set xrange [0.4:words(spread) + 0.6]
set xtics () scale 0
set bmargin 3.5
do for [j = 1:words(spread)] {
  set xtics add (ranks_of(word(spread, j)) . (ranks_of(word(spread, j)) eq "1" ? " rank" : " ranks") . "\nplan " . plan_of(word(spread, j)) j)
}
wide = 0.8 / series
at(i, k) = place(k) + (i - (series - 1) / 2.0) * wide
plot for [i = 0:series - 1] data index i using (at(i, strcol(1) . "," . strcol(2))):($4 / by):(wide * 0.92) with boxes \
       fillstyle transparent solid fill_of(lt(i)) border linetype lt(i) linetype lt(i) dashtype 1 linewidth 1.2 title columnheader(1), \
     for [i = 0:series - 1] data index i using (at(i, strcol(1) . "," . strcol(2))):($5 / by):(0):(($6 - $5) / by) with vectors \
       heads size screen 0.006,90 linecolor rgb "black" linewidth 1 dashtype 1 notitle
