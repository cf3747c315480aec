#!/bin/bash
# Standard output cannot be written.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
[ -c /dev/full ] || skip "needs /dev/full"
sweep s 3 1 >s.toml; "$BIN"/wansweep run s.toml --dir A >/dev/null 2>&1; "$BIN"/wansweep gather A >/dev/null; cluster >cl.toml
one=$(ls A/attempts | head -1)
t() { "$@" >/dev/full 2>err; rc=$?; if [ $rc = 13 ] && grep -q 'No space left' err; then ok "${*#"$BIN"/}"; else bad "exit $rc, not 13, and \"$(head -1 err)\": ${*#"$BIN"/}"; fi; }
for form in "" --csv --json; do t "$BIN"/wansweep query A offload_comparison $form; t "$BIN"/wansweep compare A A $form; done
t "$BIN"/wansweep plan s.toml
t "$BIN"/wansweep plan s.toml --json
t "$BIN"/wansweep status A
t "$BIN"/wansweep logs "${one%-a1}" --dir A
t "$BIN"/wansweep resolve "$MODEL"
t "$BIN"/wansweep resolve "$MODEL" --json
t "$BIN"/wansweep gather A
t "$BIN"/wansweep submit s.toml --cluster cl.toml --dir L --dry-run
t "$BIN"/wansweep generate s.toml --cluster cl.toml --dir G
end
