# Columns: seconds hidden, seconds exposed; a series has one row, and becomes a bar.
above = 34.0
down = above
tall = row_height * series
high = above + tall + 62
@sized
stats everything using (column(at_hidden_s) + column(at_exposed_s)) nooutput
by = s_by(STATS_max)
set style fill solid 1.0 border linecolor rgb "#777777"
@key_frame
plot [0:1] [0:1] 2 notitle, keyentry with boxes linecolor rgb hidden linewidth 0.3 title "hidden behind compute", \
  keyentry with boxes linecolor rgb exposed linewidth 0.3 title "exposed"
@end_key_frame
@row_frame
set xlabel sprintf("copying (%s)", s_unit(STATS_max))
set xrange [0:end_of(STATS_max / by)]
set yrange [series - 0.5:-0.5]
do for [i = 0:series - 1] { set ytics add (wrapped(word(names, i + 1)) i) }
start(c) = c == 1 ? 0 : column(at_hidden_s) / by
end(c) = (column(at_hidden_s) + (c == 2 ? column(at_exposed_s) : 0)) / by
array ink[2] = [hidden, exposed]
plot for [c = 1:2] for [i = 0:series - 1] data index i using (0):(i):(start(c)):(end(c)):(i - 0.33):(i + 0.33) \
       with boxxyerror linecolor rgb ink[c] linewidth 0.3 dashtype 1 notitle
unset multiplot
