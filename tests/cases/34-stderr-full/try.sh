#!/bin/bash
# Standard error is full, closed, or a pipe whose reader has left: a command ends with the exit code that its error has,
# and not with a signal. With --quiet, nothing is printed unless something is wrong.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
[ -c /dev/full ] || skip "needs /dev/full"
sweep s 3 1 'flow_shift = 3' >s.toml; cluster >c.toml
"$BIN"/wansweep run s.toml --dir A >/dev/null 2>&1; "$BIN"/wansweep gather A >/dev/null 2>&1
echo '[sweep]' >broken.toml
cp -r A damaged; rm damaged/results.db*; for each in damaged/attempts/*; do echo x >"$each/rank-0000.h5"; done

# ends CODE COMMAND...: it ends so in each of the three cases
ends() {
  local code=$1 rc; shift
  "$@" >/dev/null 2>/dev/full; rc=$?
  [ $rc = "$code" ] || bad "exit $rc, not $code, with a full standard error: ${*#"$BIN"/}"
  "$@" >/dev/null 2>&-; rc=$?
  [ $rc = "$code" ] || bad "exit $rc, not $code, with a closed standard error: ${*#"$BIN"/}"
  { sleep 0.1; "$@" 2>&1 >/dev/null; echo $? >rc; } | true
  rc=$(cat rc)
  [ "$rc" = "$code" ] || bad "exit $rc, not $code, when the reader of standard error has left: ${*#"$BIN"/}"
}
fresh() { rm -rf o; "$@"; }  # into a folder that is not there yet
ends 2 "$BIN"/wansweep nonsense
ends 2 "$BIN"/wansweep
ends 2 "$BIN"/wansweep plan broken.toml
ends 2 "$BIN"/wansweep plan nosuch.toml
ends 2 "$BIN"/wansweep query A "select nothing"
ends 0 "$BIN"/wansweep query A "select 1 union select 2" --max-rows 1
ends 0 "$BIN"/wansweep run s.toml --dir A        # its settings are not the official ones: a warning
ends 0 "$BIN"/wansweep report A -o r.html
ends 0 "$BIN"/wansweep export "$(ls -d A/attempts/* | head -1)" --perfetto t.json
ends 17 "$BIN"/wansweep gather damaged
ends 2 "$BIN"/wansweep-worker --nonsense
ends 2 "$BIN"/wansweep-worker --model nosuch --out o
ends 0 fresh "$BIN"/wansweep-worker --model "$MODEL" --size 64x64 --frames 5 --steps 2 --out o
"$BIN"/wansweep plan s.toml >/dev/full 2>/dev/full; rc=$?
[ $rc = 13 ] || bad "exit $rc, not 13, with both streams full"
"$BIN"/wansweep gather A >&- 2>&-; rc=$?
[ $rc = 13 ] || bad "exit $rc, not 13, with both streams closed"
ok "exit codes"

silent() { "$@" --quiet >out.txt 2>&1 || bad "exit $?: ${*#"$BIN"/}"; [ ! -s out.txt ] || bad "--quiet prints \"$(head -1 out.txt)\": ${*#"$BIN"/}"; }
silent "$BIN"/wansweep run s.toml --dir B
silent "$BIN"/wansweep run s.toml --dir B
silent "$BIN"/wansweep gather B
silent "$BIN"/wansweep report B -o r.html
fake_slurm; echo 'exit 1' >"$FAKE/sacct.say"
sed -i 's/^repeats = 1/repeats = 2/' s.toml
silent "$BIN"/wansweep submit s.toml --cluster c.toml --dir B   # half of its runs are done
ok "--quiet"
end
