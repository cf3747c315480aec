# Columns: seconds hidden, seconds exposed; a series has one row, and becomes a bar.
set ylabel "copying, mean of a rank (s)"
set style fill solid 1.0 border linecolor rgb "#555555"
set boxwidth 0.6
set yrange [0:*]
set xrange [-0.7:series - 0.3]
set xtics ()
do for [i = 0:series - 1] { set xtics add (word(names, i + 1) i) }
plot for [i = 0:series - 1] data index i using (i):($1 + $2) with boxes linecolor rgb exposed linewidth 0.5 \
       title (i == 0 ? "exposed" : ""), \
     for [i = 0:series - 1] data index i using (i):1 with boxes linecolor rgb hidden linewidth 0.5 title (i == 0 ? "hidden behind compute" : "")
