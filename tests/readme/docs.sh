#!/bin/bash
# Runs the commands of docs/*.md, page by page in one tree, in their order and as they stand there: a reader who follows
# a page is not stopped. Those that cannot run here are listed below with the reason. In them, too, each verb, option
# and named query exists; and each link of a page leads to a file.
. "$(dirname "$(readlink -f "$0")")/tree.sh"
export PATH=$PWD/build/demo/bin:$PATH

# PATTERN|REASON: the commands that are not run
cannot=(
  "datasette *|serves pages until it is stopped"
  "import pandas*|pandas need not be there"
  "pandas.read_sql*|pandas need not be there"
  "module load *|the modules of a cluster; tools/dist/test builds from the archive"
  "cmake -S . -B build *|tools/dist/test builds from the archive"
  "export PATH=~/wansweep/bin*|the folder that the line before it installs"
  "wansweep cluster check aces --job|waits for a job; tests/slurm/site_check_test.cc has a real Slurm"
  "wansweep probe jobs/aces-offload.toml --cluster aces *|waits for a job; tests/slurm has a real Slurm"
  "wansweep probe jobs/two-gpus.toml *|needs two GPUs"
  "wansweep run jobs/two-gpus.toml *|needs two GPUs"
  "wansweep query out/switch-gap switch_gap|needs the runs of jobs/switch-gap.toml on GPUs"
  "make build|builds what this test was given"
  "mpirun -n 2 *wansweep-worker *|needs two GPUs"
  "*make study-multi-gpu|needs four GPUs"
  "wansweep run jobs/four-gpus.toml|needs four GPUs"
  "tools/gpu/*|needs GPUs"
  "tools/engines/diffusers_run.py *|needs diffusers and a checkpoint"
  "mpirun -n 1 *wansweep-worker --model M *|needs a GPU and what the line before it writes"
)
skipped=()
reason_of() {  # reason_of COMMAND: prints why it is not run; false when it is to be run
  local each
  for each in "${cannot[@]}"; do
    # shellcheck disable=SC2254
    case $1 in ${each%%|*}) skipped+=("$each"); reason=${each#*|}; return 0 ;; esac
  done
  return 1
}

# What a reader has, or fills in for the words in capitals.
checkpoint=$PWD/tests/reference/tiny-wan2.2-t2v
real=tests/orchestrator/imports/real
cp $real/sglang-cpu.perf.json perf.json
grep -v server_args $real/sglang-cpu.log >run.log  # of another offload mode than the page's command tells
mkdir logs; cp $real/sglang-cpu.rank-0.trace.json.gz logs/x-rank0.trace.json.gz
filled_in() {
  local command=$1
  case $command in
    *h200-offload-4.toml*RUN*) command=${command//RUN/$(wansweep plan jobs/h200-offload-4.toml --json | grep -o 'r[0-9]*-planned-[a-z0-9.-]*' | head -1)} ;;
    *attempts/NAME-a1*) command=${command//NAME-a1/$(basename "$(ls -d out/demo/attempts/*-a1 | head -1)")} ;;
    *imported-0.5.8*) cp -r out/imported out/imported-0.5.8; cp -r out/imported out/imported-0.5.9 ;;
  esac
  command=${command//MODEL/$checkpoint}
  echo "${command//CHECKPOINT/$checkpoint}"
}

ran=0
pages=(docs/results.md docs/choose.md docs/offload.md docs/cluster.md docs/engines.md docs/gpu.md)
for page in "${pages[@]}"; do
  while IFS= read -r line; do
    if reason_of "$line"; then echo "not run, $reason: $line"; continue; fi
    command=$(filled_in "$line")
    ran=$((ran + 1))
    case $command in
      "sqlite3 "*) if command -v sqlite3 >/dev/null; then run "$command"; else echo "not run, sqlite3 is not installed: $line"; fi ;;
      "wansweep probe "*) run "$command --seconds 20" ;;  # of 90
      "wansweep status "*--watch) shows "aces-offload\|shift" "$command" ;;  # the jobs never end here
      *) run "$command" ;;
    esac
  done < <(commands $page)
done
[ $ran -ge 40 ] || bad "only $ran commands of docs/ were run"
for each in "${cannot[@]}"; do
  printf '%s\n' "${skipped[@]}" | grep -qxF -- "$each" || bad "no page has this command any more: ${each%%|*}"
done
for page in docs/*.md; do
  [[ $page = docs/README.md || " ${pages[*]} " = *" $page "* ]] || bad "$page: its commands are not run"
done

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
for page in README.md docs/*.md; do
  for link in $(grep -o '](\([^)]*\))' $page | tr -d ']()' | grep -v '^http'); do
    [ -e "$(dirname $page)/$link" ] || bad "$page: no $link"
  done
done
end
