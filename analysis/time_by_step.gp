# Columns: step, ms of compute, of waiting for weights, for peers, for the host, and the rest. A frame a series, one scale.
parts = "'compute' 'wait: weights' 'wait: peers' 'wait: host' 'rest'"
stats data using ($2 + $3 + $4 + $5 + $6) nooutput
set yrange [0:STATS_max * 1.02]
set style data histograms
set style histogram rowstacked
set style fill solid 0.85 noborder
set boxwidth 0.85
set xtics 0, 5
set key outside bottom center horizontal
unset key
left = 0.10
width = (0.98 - left) / series
set tmargin at screen 0.90
set bmargin at screen 0.26
set multiplot
do for [i = 0:series - 1] {
  set lmargin at screen left + i * width
  set rmargin at screen left + (i + 1) * width - 0.02
  set title word(names, i + 1)
  set xlabel "step"
  if (i == 0) { set ylabel "step time (ms)"; set format y "%g" } else { unset ylabel; set format y "" }
  if (i == 0) { set key at screen 0.54, screen 0.05 center horizontal width -1 } else { unset key }
  plot for [c = 2:6] data index i using c linetype c - 1 title word(parts, c - 1)
}
unset multiplot
