# These commands come before those of each picture of a report. "black" becomes the page's text colour (picture.cc).
# All pictures are 480 wide, which a phone shows as it is; their height follows from what they show, so that a plot keeps
# its height under a long key.
terminal_words = "dynamic enhanced font \"sans-serif,13\" background \"white\" linewidth 1.2 name \"picture\""
set macros
high = 335
sized = "set terminal svg size 480,high @terminal_words"

# A key has as many columns as its longest name lets it have.
longest = 1
do for [i = 1:series] { if (strlen(word(names, i)) > longest) { longest = strlen(word(names, i)) } }
key_columns = int(440 / (7.3 * longest + 44))
if (key_columns < 1) { key_columns = 1 }
key_rows = (series + key_columns - 1) / key_columns
high = high + 20 * key_rows
@sized
set termoption noenhanced
set datafile separator "\t"
set encoding utf8
set border 3
set tics nomirror out
set grid ytics linecolor rgb "#999999" linewidth 0.4 dashtype 3
set key outside top left horizontal Left reverse samplen 3 height 0.3 maxcols key_columns autotitle columnheader

# Names as the labels of rows: options in brackets go into a second line. `label_width` is a margin for them.
wrapped(name) = (at = strstrt(name, " ("), at > 0 ? name[1:at - 1] . "\n" . name[at + 1:*] : name)
lengths(name) = (at = strstrt(name, " ("), at > 0 ? (at - 1 > strlen(name) - at ? at - 1 : strlen(name) - at) : strlen(name))
label_width = 4
do for [i = 1:series] { if (lengths(word(names, i)) > label_width) { label_width = lengths(word(names, i)) } }
label_width = (6.3 * label_width + 14) / 480
row_height = 34.0

# Frames below one another share a key above them: `key_frame`, a plot of the key alone, then `end_key_frame`. The picture
# has set `high`, and `above`: the height of the key.
key_frame = "set multiplot; set border 0; unset tics; unset grid; set lmargin at screen 0; set rmargin at screen 1; \
set tmargin at screen 1; set bmargin at screen 1 - above / high; \
set key inside top left horizontal Left reverse samplen 1 width -2 maxcols 3 maxrows 3 font ',11'"
end_key_frame = "unset key; set border 3; set xtics nomirror out offset 0, 0.5; set ytics nomirror out; set grid ytics; set xlabel offset 0, 0.9"
# The margins of a frame of rows, `label_width` from the left, of which `down` is above and `tall` is inside.
row_frame = "set lmargin at screen label_width; set rmargin at screen 0.97; set tmargin at screen 1 - down / high; \
set bmargin at screen 1 - (down + tall) / high; set grid noytics xtics; set xrange [0:*]; set ytics () scale 0 font ',11'"

# A mode has one colour in every picture of every report: Okabe and Ito's, but for the purple, with a contrast of 3 at
# least to a white and to a dark page. Linetype 5 * n + m is mode m (the order of OffloadMode in schema/setting_values.h)
# with its n-th set of options (report.cc: linetypes_of): another dash and point, and bars that are filled less.
array shade[5] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8B5FC4"]
array filled[5] = [7, 5, 9, 13, 11]
array open[5] = [6, 4, 8, 12, 10]
fill_of(k) = word("1.0 0.5 0.25 0.0", (k - 1) / 5 + 1) + 0.0
set linetype cycle 20
do for [n = 0:3] {
  do for [m = 1:5] {
    k = 5 * n + m
    set linetype k linecolor rgb shade[m] linewidth 2 pointsize 0.8 pointtype (n == 0 ? filled[m] : n == 1 ? open[m] : n == 2 ? 2 : 1)
    dash = (m - 1 + n) % 5
    if (dash == 0) { set linetype k dashtype 1 }
    if (dash == 1) { set linetype k dashtype (12,4) }
    if (dash == 2) { set linetype k dashtype (4,3) }
    if (dash == 3) { set linetype k dashtype (12,4,3,4) }
    if (dash == 4) { set linetype k dashtype (8,3,2,3,2,3) }
  }
}

# The colours of the parts of the time. They differ in lightness too, for printers without colours; none is a mode's colour.
array part[7] = [0x5F7890, 0xAA3377, 0xCC6677, 0xF2C94C, 0xBFE3F7, 0x999933, 0xC8C8C8]
part_names = "'compute' 'exposed exchange' 'both exposed' 'exposed transfer' 'waits for peers' 'waits for host' 'idle'"
hidden = 0xC8C8C8; exposed = part[4]

# The end of an axis on which pictures beside one another can be compared: `largest` is that of `everything`.
end_of(largest) = largest > 0 ? 1.05 * largest : 1

# Large numbers are shown in the larger unit: ..._by is the divisor for a largest value of `top`, ..._unit the unit's name.
ms_by(top) = top >= 1000 ? 1000.0 : 1.0
ms_unit(top) = top >= 1000 ? "s" : "ms"
mib_by(top) = top >= 1024 ? 1024.0 : 1.0
mib_unit(top) = top >= 1024 ? "GiB" : "MiB"
s_by(top) = top < 1 ? 0.001 : 1.0
s_unit(top) = top < 1 ? "ms" : "s"
