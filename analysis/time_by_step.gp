# Columns: step, and the seven parts of its time (ms). A frame a series, two in a row, all on one scale.
in_row = series < 2 ? series : 2
rows = (series + in_row - 1) / in_row
above = 66.0
frame_title = 38.0; frame_plot = 130.0; frame_high = 204.0
high = above + frame_high * rows + 34
@sized
stats everything using ($2 + $3 + $4 + $5 + $6 + $7 + $8) nooutput
by = ms_by(STATS_max)
unit = ms_unit(STATS_max)
top = end_of(STATS_max / by)
stats data using 1 nooutput
last = STATS_max
set style fill solid 1.0 border linecolor rgb "#777777"
set boxwidth 0.85
left = 0.14
width = (0.99 - left) / in_row
@key_frame
plot [0:1] [0:1] 2 notitle, for [c = 1:7] keyentry with boxes linecolor rgb part[c] linewidth 0.3 title word(part_names, c)
@end_key_frame
set yrange [0:top]
set xrange [0.4:last + 0.6]
set xtics last > 60 ? 20 : last > 20 ? 10 : last > 8 ? 4 : 1
do for [i = 0:series - 1] {
  down = above + frame_high * (i / in_row) + frame_title
  set lmargin at screen left + (i % in_row) * width
  set rmargin at screen left + (i % in_row + 1) * width - 0.02
  set tmargin at screen 1 - down / high
  set bmargin at screen 1 - (down + frame_plot) / high
  set title wrapped(word(names, i + 1)) offset 0, -0.6 font ",12"
  if (i + in_row >= series) { set xlabel "step" } else { unset xlabel }
  if (i % in_row == 0) { set ylabel "step time (" . unit . ")"; set format y "%g" } else { unset ylabel; set format y "" }
  plot for [c = 8:2:-1] data index i using 1:((sum [k = 2:c] column(k)) / by) with boxes linecolor rgb part[c - 1] linewidth 0.3 dashtype 1 notitle
}
unset multiplot
