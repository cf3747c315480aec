# Columns: step, and the seven parts of its time (ms). A frame a series, one scale.
stats data using ($2 + $3 + $4 + $5 + $6 + $7 + $8) nooutput
set yrange [0:(STATS_max > 0 ? STATS_max * 1.05 : 1)]
set xrange [0.4:*]
set style fill solid 1.0 border linecolor rgb "#555555"
set boxwidth 0.85
set xtics 10
set xlabel "step"
unset key
left = 0.14
width = (0.99 - left) / series
set tmargin at screen 0.90
set bmargin at screen 0.43
set multiplot
do for [i = 0:series - 1] {
  set lmargin at screen left + i * width
  set rmargin at screen left + (i + 1) * width - 0.02
  set title word(names, i + 1) offset 0, -0.5
  if (i == 0) { set ylabel "step time (ms)"; set format y "%g" } else { unset ylabel; set format y "" }
  plot for [c = 8:2:-1] data index i using 1:(sum [k = 2:c] column(k)) with boxes linecolor rgb part[c - 1] linewidth 0.3 notitle
}
# One key for all frames.
unset title; unset xlabel; unset ylabel; unset border; unset tics; unset grid
set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen 0.22
set key inside bottom center horizontal maxrows 2 samplen 1.5 width -3 font ",13"
plot [0:1] [0:1] 2 notitle, for [c = 1:7] keyentry with boxes linecolor rgb part[c] linewidth 0.3 title word(part_names, c)
unset multiplot
