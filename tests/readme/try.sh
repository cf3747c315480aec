#!/bin/bash
# Runs every command of README.md, in its order and as it stands there, in a tree that looks like a fresh clone after
# `make build`. Only what the commands find is smaller: the demo has one repeat of two ranks, Slurm is the stand-in of
# tests/cases/common/lib.sh. A command that cannot run here is skipped with a line, and no command is unknown.
# Then the commands of docs/ are looked at: each verb, option and named query in them exists.
. "$(dirname "$(readlink -f "$0")")/../cases/common/lib.sh"
need make python3

# The tree: the project's files, but for what the commands write or what is made smaller.
mkdir tree; cd tree
for each in "$SRC"/*; do
  case $(basename "$each") in build | out | jobs | machines) ;; *) ln -s "$each" . ;; esac
done
mkdir -p build/demo out; ln -s "$BIN" build/demo/bin
cp -r "$SRC/jobs" "$SRC/machines" .; chmod -R u+w jobs machines
sed -i 's/^repeats = 3/repeats = 1/; s/^ranks = .*/ranks = [2]/; s/^steps = 27/steps = 8/' jobs/demo.toml
fake_slurm
echo 'echo "gpu|up|2-00:00:00|10|96|515000|gpu:h100:6(S:0-1)"' >"$FAKE/sinfo.say"
echo 'echo "MaxArraySize = 1001"' >"$FAKE/scontrol.say"

commands() { sed -n 's/^    \([a-z].*\)/\1/p' "$1"; }

run() {  # run COMMAND: in a shell of its own, which has what an earlier `export` gave
  if bash -c "$exports$1" >"$T/out" 2>&1; then ok "$1"; else bad "exit $?: $1: $(tail -3 "$T/out")"; fi
}

exports=
count=0
while IFS= read -r line; do
  command=$(sed 's/ *#.*//' <<<"$line")
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
    "wansweep status "*--watch)  # the jobs never end here: it shows them until it is stopped
      timeout 5 bash -c "$exports$command" >"$T/out" 2>&1; rc=$?
      [ $rc = 124 ] || [ $rc = 0 ] || bad "exit $rc: $command: $(tail -3 "$T/out")"
      grep -q "aces-offload\|shift" "$T/out" && ok "$command" || bad "$command shows nothing" ;;
    "wansweep report "*) run "$command"; grep -q 'class="headline"' report.html || bad "the report has no verdict" ;;
    "wansweep "*) run "$command" ;;
    *) bad "this test does not know how to run: $command" ;;
  esac
done < <(commands README.md)
[ $count -ge 10 ] || bad "only $count commands are found in README.md"

# What docs/ say exists.
python3 - "$BIN/wansweep" README.md docs/*.md <<'P' || bad "docs/ name what is not there"
import re, subprocess, sys
program = sys.argv[1]
def text(*arguments): return subprocess.run([program, *arguments], capture_output=True, text=True).stdout
verbs = set(re.findall(r"^  ([a-z]+)(?:,| )", text("--help"), re.M))
queries = set(re.findall(r"^([a-z_0-9]+) ", text("query", "--list"), re.M))
helps, wrong, seen = {}, 0, 0
for file in sys.argv[2:]:
    page = re.sub(r"\\\n\s+", "", open(file).read())
    for line in re.findall(r"^    (.*)", page, re.M):
        for words in re.findall(r"(?:^|&& )wansweep ([^&#]*)", line):
            seen += 1
            verb = words.split()[0]
            if verb not in verbs: wrong += 1; print(f"{file}: no verb {verb}"); continue
            sub = words.split()[1:2] if verb == "cluster" else []
            key = (verb, *sub)
            helps.setdefault(key, text(*key, "--help"))
            for option in re.findall(r"(--[a-z-]+)", words):
                if option not in helps[key]: wrong += 1; print(f"{file}: {verb} has no {option}")
            named = re.match(r"query \S+ ([a-z_0-9]+)\s*$", words.strip())
            if named and named[1] not in queries: wrong += 1; print(f"{file}: no query {named[1]}")
print(f"{seen} commands of README.md and docs/ looked at")
sys.exit(1 if wrong or seen < 20 else 0)
P
# And its picture is that of the table.
if command -v gnuplot >/dev/null; then tools/readme/draw_ways --data | grep -q . || bad "tools/readme/draw_ways finds no rows in MEASURED.md"; fi
for page in README.md docs/*.md; do
  for link in $(grep -o '](\([^)]*\))' $page | tr -d ']()' | grep -v '^http'); do
    [ -e "$(dirname $page)/$link" ] || bad "$page: no $link"
  done
done
end
