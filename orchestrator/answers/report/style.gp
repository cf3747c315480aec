# Before each picture of a report. Okabe and Ito's colours, told apart without colour by dash and point. "black" becomes
# the page's text colour (picture.cc).
set terminal svg size 620,360 dynamic enhanced font "sans-serif,14" background "white" linewidth 1.4 name "picture"
set termoption noenhanced
set datafile separator "\t"
set encoding utf8
set border 3
set tics nomirror out
set grid ytics linecolor rgb "#999999" linewidth 0.4 dashtype 3
set key outside bottom center horizontal samplen 4 autotitle columnheader
set linetype 1 linecolor rgb "#0072B2" linewidth 2 dashtype 1 pointtype 7 pointsize 0.5
set linetype 2 linecolor rgb "#D55E00" linewidth 2 dashtype (12,4) pointtype 5 pointsize 0.5
set linetype 3 linecolor rgb "#009E73" linewidth 2 dashtype (4,3) pointtype 9 pointsize 0.6
set linetype 4 linecolor rgb "#CC79A7" linewidth 2 dashtype (12,4,3,4) pointtype 13 pointsize 0.6
set linetype 5 linecolor rgb "#E69F00" linewidth 2 dashtype (2,3) pointtype 11 pointsize 0.6
set linetype 6 linecolor rgb "#56B4E9" linewidth 2 dashtype (8,3,2,3,2,3) pointtype 4 pointsize 0.6
set linetype 7 linecolor rgb "#7F7F7F" linewidth 2 dashtype 1 pointtype 6 pointsize 0.6
set linetype cycle 7
# Areas, told apart by lightness too, as a printer without colours needs: work and what it hides, waits, the rest.
work = 0x0072B2; weights = 0xE69F00; peers = 0xABD4F2; host = 0x882255; rest = 0x8A8A8A
hidden = 0xABD4F2; exposed = 0xD55E00
