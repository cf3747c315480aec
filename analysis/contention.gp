# Columns are read by name: kind, exchange_groups, alone and beside (GB/s) with their plus or minus. A series is a way. A
# frame for each kind of traffic and number of groups, a row for each way that has a rate in it.
kinds = "h2d d2h all_to_all ring weight_parts"
kind_names = "'copies to the device' 'copies from the device' 'all-to-all' ring 'weights from peers'"
groups_of(text) = (text eq "?" ? "1" : text)
listed(list, k) = sum [j = 1:words(list)] (word(list, j) eq k)
seen = ""; rows = ""
note(kind, groups, i) = (seen = seen . (listed(seen, kind . "/" . groups) ? "" : " " . kind . "/" . groups), rows = rows . sprintf(" %s/%s/%d", kind, groups, i), 0)
do for [i = 0:series - 1] {
  stats data index i using (valid(at_alone_gb_per_s) || valid(at_beside_gb_per_s) ? note(strcol(at_kind), groups_of(strcol(at_exchange_groups)), i) : 0) nooutput
}
# The frames in the order of `kinds`, and the rows of all of them.
frames = ""
all_rows = 0
do for [k = 1:words(kinds)] {
  do for [j = 1:words(seen)] {
    entry = word(seen, j)
    if (entry[1:strstrt(entry, "/") - 1] eq word(kinds, k)) { frames = frames . " " . entry }
  }
}
rows_of(frame) = sum [i = 0:series - 1] listed(rows, frame . sprintf("/%d", i))
place(frame, i) = i == 0 ? 0 : sum [j = 0:i - 1] listed(rows, frame . sprintf("/%d", j))
kind_of(frame) = frame[1:strstrt(frame, "/") - 1]
group_count(frame) = frame[strstrt(frame, "/") + 1:*]
kind_place(kind) = sum [k = 1:words(kinds)] (word(kinds, k) eq kind ? k : 0)
title_of(frame) = word(kind_names, kind_place(kind_of(frame))) . (group_count(frame) eq "1" ? "" : " in " . group_count(frame) . " groups")
do for [f = 1:words(frames)] { all_rows = all_rows + rows_of(word(frames, f)) }
frame_top = 24.0; frame_bottom = 36.0
above = 44.0
high = above + 8 + all_rows * row_height + words(frames) * (frame_top + frame_bottom)
@sized
@key_frame
plot [0:1] [0:1] 2 notitle, keyentry with points linecolor rgb "black" pointtype 7 pointsize 0.9 title "alone", \
  keyentry with points linecolor rgb "black" pointtype 6 pointsize 0.9 title "beside the other sort (bars: 95 %)"
@end_key_frame
rate_in(frame, c) = ((strcol(at_kind) . "/" . groups_of(strcol(at_exchange_groups))) eq frame ? column(c) : NaN)
array rate[2] = [at_alone_gb_per_s, at_beside_gb_per_s]
array half[2] = [at_alone_plus_minus, at_beside_plus_minus]
down = above
do for [f = 1:words(frames)] {
  frame = word(frames, f)
  tall = rows_of(frame) * row_height
  down = down + frame_top
  @row_frame
  set title title_of(frame) . " (GB/s of one rank)" offset 0, -0.7 font ",12"
  set yrange [rows_of(frame) - 0.5:-0.5]
  do for [i = 0:series - 1] {
    if (listed(rows, frame . sprintf("/%d", i))) { set ytics add (wrapped(word(names, i + 1)) place(frame, i)) }
  }
  plot for [s = 1:2] for [i = 0:series - 1] data index i using (rate_in(frame, rate[s])):(place(frame, i) + (s == 1 ? -0.17 : 0.17)):half[s] \
         with xerrorbars linetype lt(i) dashtype 1 pointtype 0 notitle, \
       for [s = 1:2] for [i = 0:series - 1] data index i using (rate_in(frame, rate[s])):(place(frame, i) + (s == 1 ? -0.17 : 0.17)) \
         with points linetype lt(i) pointtype (s == 1 ? 7 : 6) pointsize 0.9 notitle
  down = down + tall + frame_bottom
}
unset multiplot
