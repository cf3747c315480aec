# These commands come before those of each picture of a report. "black" becomes the page's text colour (picture.cc).
terminal_words = "dynamic enhanced font \"sans-serif,13\" background \"white\" linewidth 1.2 name \"picture\""
set macros
set terminal svg size 480,310 @terminal_words
set termoption noenhanced
set datafile separator "\t"
set encoding utf8
set border 3
set tics nomirror out
set grid ytics linecolor rgb "#999999" linewidth 0.4 dashtype 3
set key outside top left horizontal Left reverse samplen 2 height 0.3 autotitle columnheader

# A mode has one colour in every picture of every report: Okabe and Ito's, told apart without colour by dash and point.
# Linetype 5 * n + m is mode m (the order of OffloadMode in schema/setting_values.h) with its n-th set of options: a
# darker or lighter shade of the same colour (report.cc: linetypes_of).
array shade[20] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6A3D9A", \
                   "#004A73", "#8F3F00", "#00664A", "#8E4F72", "#3F1F66", \
                   "#56A5D8", "#F0935A", "#4CC7A0", "#E3AECB", "#9C78C4", \
                   "#003350", "#5F2A00", "#004030", "#5F3249", "#250F40"]
array point[5] = [7, 5, 9, 13, 11]
set linetype cycle 20
do for [n = 0:3] {
  do for [m = 1:5] {
    set linetype 5 * n + m linecolor rgb shade[5 * n + m] linewidth 2 pointtype point[m] pointsize 0.6
  }
}
do for [k in "1 6 11 16"] { set linetype int(k) dashtype 1 }
do for [k in "2 7 12 17"] { set linetype int(k) dashtype (12,4) }
do for [k in "3 8 13 18"] { set linetype int(k) dashtype (4,3) }
do for [k in "4 9 14 19"] { set linetype int(k) dashtype (12,4,3,4) }
do for [k in "5 10 15 20"] { set linetype int(k) dashtype (8,3,2,3,2,3) }

# The colours of the parts of the time. They differ in lightness too, for printers without colours; none is a mode's colour.
array part[7] = [0x46586B, 0x882255, 0xCC6677, 0xF2C94C, 0xBFE3F7, 0x999933, 0xC8C8C8]
part_names = "'compute' 'exposed exchange' 'both exposed' 'exposed transfer' 'waits for peers' 'waits for host' 'idle'"
hidden = 0xC8C8C8; exposed = part[4]

# Large numbers are shown in the larger unit: ..._by is the divisor for a largest value of `top`, ..._unit the unit's name.
ms_by(top) = top >= 1000 ? 1000.0 : 1.0
ms_unit(top) = top >= 1000 ? "s" : "ms"
mib_by(top) = top >= 1024 ? 1024.0 : 1.0
mib_unit(top) = top >= 1024 ? "GiB" : "MiB"
s_by(top) = top < 1 ? 0.001 : 1.0
s_unit(top) = top < 1 ? "ms" : "s"
