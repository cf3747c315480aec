#!/bin/bash
# Runs every command of README.md, in its order and as it stands there. A command that cannot run here is skipped with a
# line, and no command is unknown.
. "$(dirname "$(readlink -f "$0")")/tree.sh"

count=0
while IFS= read -r command; do
  count=$((count + 1))
  case $command in
    "make demo") run tools/demo; grep -q "moving weights" "$T/out" || bad "the demo prints no answer" ;;
    "make test") make -n test >/dev/null && ok "make test: this test is a part of it" || bad "make test: no such target" ;;
    "export "*) exports+="$command; "; ok "$command" ;;
    "make study-multi-gpu")
      if nvidia-smi -L >/dev/null 2>&1; then run "STUDY_SECONDS=60 $command"; else echo "SKIPPED, for there is no GPU: $command"; fi
      make -n study-multi-gpu >/dev/null || bad "$command: no such target" ;;
    "wansweep probe "*) run "$command --seconds 20" ;;  # of 90
    "wansweep submit "*) run "$command"; grep -q "36 runs submitted" "$T/out" || bad "not 36 runs submitted: $(cat "$T/out")" ;;
    "wansweep status "*--watch) shows "aces-offload\|shift" "$command" ;;  # the jobs never end here
    "wansweep report "*) run "$command"; grep -q 'class="headline"' report.html || bad "the report has no verdict" ;;
    "wansweep "*) run "$command" ;;
    *) bad "this test does not know how to run: $command" ;;
  esac
done < <(commands README.md)
[ $count -ge 10 ] || bad "only $count commands are found in README.md"

# And its picture is that of the table.
if command -v gnuplot >/dev/null; then tools/readme/draw_ways --data | grep -q . || bad "tools/readme/draw_ways finds no rows in MEASURED.md"; fi
end
