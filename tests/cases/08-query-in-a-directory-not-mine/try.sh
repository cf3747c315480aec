#!/bin/bash
# A user without write permission queries a gathered sweep. Needs root, to become the user nobody.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
need setpriv unshare
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
cp "$BIN"/wansweep .; chmod 755 "$T"; mkdir -m 777 hers; nobody ./wansweep --version >/dev/null || skip "needs a folder for temporary files that all may enter"
sweep s 4 1 >s.toml; "$BIN"/wansweep run s.toml --dir A >/dev/null 2>&1; "$BIN"/wansweep gather A; ls A/results.db*; one=$(ls A/attempts | head -1)
for q in "query $T/A offload_comparison" "report $T/A -o $T/hers/r.html" "compare $T/A $T/A" "export ${one%-a1} --db $T/A --perfetto $T/hers/t.json" "status $T/A"; do
  (cd hers && nobody ../wansweep $q) >/dev/null; rc=$?; [ $rc = 0 ] && ok "${q%% *}" || bad "${q%% *}: exit $rc"; done
[ -s hers/r.html ] && [ -s hers/t.json ] || bad "report or export wrote nothing"
# The command runs in a mount namespace of its own, which ends with it.
mkdir ro; mount='mount --bind A ro && mount -o remount,ro,bind ro'
if unshare -m bash -c "$mount" 2>/dev/null; then unshare -m bash -c "$mount"' && "$BIN"/wansweep query ro offload_comparison >/dev/null'; rc=$?; [ $rc = 0 ] || bad "on a read-only mount: exit $rc"; fi
end
