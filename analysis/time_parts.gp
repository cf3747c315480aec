# Columns: the seven parts of the mean step (ms); a series is a bar: mode and ranks.
above = 66.0
down = above
tall = row_height * series
high = above + tall + 62
@sized
stats everything using ($1 + $2 + $3 + $4 + $5 + $6 + $7) nooutput
by = ms_by(STATS_max)
set style fill solid 1.0 border linecolor rgb "#777777"
@key_frame
plot [0:1] [0:1] 2 notitle, for [c = 1:7] keyentry with boxes linecolor rgb part[c] linewidth 0.3 title word(part_names, c)
@end_key_frame
@row_frame
set xlabel sprintf("mean step (%s)", ms_unit(STATS_max))
set xrange [0:end_of(STATS_max / by)]
set yrange [series - 0.5:-0.5]
do for [i = 0:series - 1] { set ytics add (wrapped(word(names, i + 1)) i) }
start(c) = c == 1 ? 0 : (sum [k = 1:c - 1] column(k)) / by
plot for [c = 1:7] for [i = 0:series - 1] data index i \
       using (0):(i):(start(c)):(start(c) + column(c) / by):(i - 0.33):(i + 0.33) \
       with boxxyerror linecolor rgb part[c] linewidth 0.3 dashtype 1 notitle
unset multiplot
