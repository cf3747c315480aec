# Before each picture of a report. Okabe and Ito's colours, told apart without colour by dash and point; 1, 2 and 3 are
# resident, swap and layerwise in every picture (report.cc). "black" becomes
# the page's text colour (picture.cc).
set terminal svg size 620,360 dynamic enhanced font "sans-serif,14" background "white" linewidth 1.4 name "picture"
set termoption noenhanced
set datafile separator "\t"
set encoding utf8
set border 3
set tics nomirror out
set grid ytics linecolor rgb "#999999" linewidth 0.4 dashtype 3
set key outside top center horizontal samplen 3 autotitle columnheader
set linetype 1 linecolor rgb "#0072B2" linewidth 2 dashtype 1 pointtype 7 pointsize 0.5
set linetype 2 linecolor rgb "#D55E00" linewidth 2 dashtype (12,4) pointtype 5 pointsize 0.5
set linetype 3 linecolor rgb "#009E73" linewidth 2 dashtype (4,3) pointtype 9 pointsize 0.6
set linetype 4 linecolor rgb "#CC79A7" linewidth 2 dashtype (12,4,3,4) pointtype 13 pointsize 0.6
set linetype 5 linecolor rgb "#E69F00" linewidth 2 dashtype (2,3) pointtype 11 pointsize 0.6
set linetype 6 linecolor rgb "#56B4E9" linewidth 2 dashtype (8,3,2,3,2,3) pointtype 4 pointsize 0.6
set linetype 7 linecolor rgb "#7F7F7F" linewidth 2 dashtype 1 pointtype 6 pointsize 0.6
set linetype 8 linecolor rgb "black" linewidth 2 dashtype 1 pointtype 7 pointsize 0.5
set linetype cycle 8
# Parts of the time, told apart by lightness too, as a printer without colours needs; none has a mode's colour.
array part[7] = [0x46586B, 0x882255, 0xCC6677, 0xE69F00, 0xABD4F2, 0x999933, 0xC8C8C8]
part_names = "'compute' 'exposed exchange' 'both exposed' 'exposed transfer' 'waits for peers' 'waits for host' 'idle'"
hidden = 0xC8C8C8; exposed = part[4]
