# Columns: step, and the seven parts of its time (ms). A frame a series, at most four in a row, all on one scale.
in_row = series < 4 ? series : 4
rows = (series + in_row - 1) / in_row
top_of_frames = 66.0  # the key above them
high = int(top_of_frames) + 220 * rows
set terminal svg size 480,high @terminal_words
stats data using ($2 + $3 + $4 + $5 + $6 + $7 + $8) nooutput
by = ms_by(STATS_max)
unit = ms_unit(STATS_max)
top = STATS_max > 0 ? STATS_max * 1.05 / by : 1
stats data using 1 nooutput
last = STATS_max
set yrange [0:top]
set xrange [0.4:last + 0.6]
set style fill solid 1.0 border linecolor rgb "#555555"
set boxwidth 0.85
set xtics 10
unset key
left = 0.14
width = (0.99 - left) / in_row
set multiplot
# One key for all frames, above them.
set border 0
unset tics; unset grid
set lmargin at screen 0; set rmargin at screen 1; set tmargin at screen 1; set bmargin at screen 1 - top_of_frames / high
set key inside top left horizontal Left reverse maxrows 3 samplen 1 width -2 font ",11"
plot [0:1] [0:1] 2 notitle, for [c = 1:7] keyentry with boxes linecolor rgb part[c] linewidth 0.3 title word(part_names, c)
unset key
set border 3
set ytics nomirror out
set grid ytics
do for [i = 0:series - 1] {
  row = i / in_row
  over = 1 - (top_of_frames + 220.0 * row) / high
  set lmargin at screen left + (i % in_row) * width
  set rmargin at screen left + (i % in_row + 1) * width - 0.02
  set tmargin at screen over - 26.0 / high
  set bmargin at screen over - 164.0 / high
  set xtics 10 nomirror out
  set xlabel "step" offset 0, 0.5
  set title word(names, i + 1) offset 0, -0.6 font series > 3 ? ",11" : ",13"
  if (i % in_row == 0) { set ylabel "step time (" . unit . ")"; set format y "%g" } else { unset ylabel; set format y "" }
  plot for [c = 8:2:-1] data index i using 1:((sum [k = 2:c] column(k)) / by) with boxes linecolor rgb part[c - 1] linewidth 0.3 dashtype 1 notitle
}
unset multiplot
