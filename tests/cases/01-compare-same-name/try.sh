#!/bin/bash
# Compares two sweep directories that have the same sweep name. The second sweep is four times slower.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
sweep night 4 3 >fast.toml; sweep night 4 3 'link_bandwidth = 0.05' >slow.toml
"$BIN"/wansweep run fast.toml --dir monday >/dev/null 2>&1; "$BIN"/wansweep run slow.toml --dir tuesday >/dev/null 2>&1
"$BIN"/wansweep gather monday; "$BIN"/wansweep gather tuesday
for d in monday tuesday; do "$BIN"/wansweep query $d "select offload, total_s from offload_comparison" --csv; done
"$BIN"/wansweep compare monday tuesday; rc=$?; echo "exit $rc"
a=$("$BIN"/wansweep compare monday tuesday --csv 2>/dev/null | md5sum); b=$("$BIN"/wansweep compare monday monday --csv 2>/dev/null | md5sum)
[ "$a" = "$b" ] && [ $rc = 0 ] && bad "compare monday tuesday is compare monday monday"
"$BIN"/wansweep compare monday tuesday --csv | grep -q 'swap.*changed' || bad "swap takes four times as long, and is not called changed"
end
