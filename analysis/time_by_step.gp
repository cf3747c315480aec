# Columns: step, ms of compute, of waiting for weights, for peers, for the host, and the rest. A frame a series, one scale.
stats data using ($2 + $3 + $4 + $5 + $6) nooutput
set yrange [0:(STATS_max > 0 ? STATS_max * 1.05 : 1)]
set xrange [0.4:*]
set style fill solid 1.0 border linecolor rgb "#555555"
array shade[5] = [work, weights, peers, host, rest]
set boxwidth 0.85
set xtics 10
set xlabel "step"
unset key
left = 0.14
width = (0.99 - left) / series
set tmargin at screen 0.90
set bmargin at screen 0.32
set multiplot
do for [i = 0:series - 1] {
  set lmargin at screen left + i * width
  set rmargin at screen left + (i + 1) * width - 0.02
  set title word(names, i + 1) offset 0, -0.5
  if (i == 0) { set ylabel "step time (ms)"; set format y "%g" } else { unset ylabel; set format y "" }
  plot for [c = 6:2:-1] data index i using 1:(sum [k = 2:c] column(k)) with boxes linecolor rgb shade[c - 1] linewidth 0.3 notitle
}
# One key for all frames.
unset title; unset xlabel; unset ylabel; unset border; unset tics; unset grid
set lmargin at screen 0; set rmargin at screen 1; set bmargin at screen 0; set tmargin at screen 0.14
set key inside center center horizontal samplen 1.5 width -3.5 font ",13"
plot [0:1] [0:1] 2 notitle, keyentry with boxes linecolor rgb work linewidth 0.3 title "compute", keyentry with boxes linecolor rgb weights linewidth 0.3 title "waits for weights", \
     keyentry with boxes linecolor rgb peers linewidth 0.3 title "for peers", keyentry with boxes linecolor rgb host linewidth 0.3 title "for host", \
     keyentry with boxes linecolor rgb rest linewidth 0.3 title "rest"
unset multiplot
