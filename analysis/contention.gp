# Columns: kind, GB/s alone, its plus or minus, GB/s beside the other sort, its plus or minus. A series is a mode.
set ylabel "one rank (GB/s, logarithmic)"
set logscale y
set format y "%g"
set xtics ("to device" 0, "from device" 1, "all-to-all" 2, "ring" 3) scale 0
set offsets 0.45, 0.45, 0, 0
set key maxrows 3 samplen 1
place(kind, i, side) = (kind eq "h2d" ? 0 : kind eq "d2h" ? 1 : kind eq "all_to_all" ? 2 : 3) + (2 * i + side - series + 0.5) * 0.32 / series
plot for [i = 0:series - 1] data index i using (place(stringcolumn(1), i, 0)):2:3 with yerrorbars linetype lt(i) dashtype 1 pointtype 0 notitle, \
     for [i = 0:series - 1] data index i using (place(stringcolumn(1), i, 1)):4:5 with yerrorbars linetype lt(i) dashtype 1 pointtype 0 notitle, \
     for [i = 0:series - 1] data index i using (place(stringcolumn(1), i, 0)):2 with points linetype lt(i) pointtype 7 pointsize 0.9 notitle, \
     for [i = 0:series - 1] data index i using (place(stringcolumn(1), i, 1)):4 with points linetype lt(i) pointtype 6 pointsize 0.9 notitle, \
     for [i = 0:series - 1] keyentry with points linetype lt(i) pointtype 7 pointsize 0.9 title word(names, i + 1), \
     keyentry with points linecolor rgb "black" pointtype 7 pointsize 0.9 title "alone", keyentry with points linecolor rgb "black" pointtype 6 pointsize 0.9 title "beside the other"
