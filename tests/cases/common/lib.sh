# For each try.sh: BIN is the folder of wansweep and wansweep-worker, SRC a clone of the project (its tiny model).
# shellcheck shell=bash disable=SC2034
: "${BIN:?the folder of wansweep and wansweep-worker}" "${SRC:?a clone of the project}"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
MODEL=$SRC/tests/reference/tiny-wan2.2-t2v
ONE=$SRC/tests/reference/trajectory-one-step.safetensors
T=$(mktemp -d); cd "$T" || exit 9
# The script uses none of the person's own settings, leaves nothing behind, and lets no process outlive it.
cleanup() { local left; left=$(jobs -p); [ -z "$left" ] || kill $left 2>/dev/null; cd /; rm -rf "$T"; }
trap cleanup EXIT; trap 'exit 130' INT TERM
unset "${!SLURM_@}" "${!SBATCH_@}" WANSWEEP_HOST_MEMORY
skip() { echo "skipped: $*"; exit 77; }  # what it needs is missing
need() { local each; for each; do command -v "$each" >/dev/null || skip "needs $each"; done; }
faults=0
bad() { echo "FAULT: $*"; faults=$((faults + 1)); }
ok() { echo "ok: $*"; }
# refused CODE WORDS COMMAND...: ends with that code, and one line on standard error that has the words (a basic regular expression)
refused() {
  local code=$1 words=$2 rc; shift 2
  "$@" >refused.out 2>refused.err; rc=$?
  [ $rc = "$code" ] || bad "exit $rc, not $code: ${*#"$BIN"/}"
  grep -qi -- "$words" refused.err || bad "not said: \"$words\", but: $(head -c 300 refused.err)"
  [ "$(wc -l <refused.err)" = 1 ] || bad "not one line but $(wc -l <refused.err): ${*#"$BIN"/}"
}
end() { [ $faults -eq 0 ] && echo "no fault" || { echo "$faults fault(s)"; exit 1; }; exit 0; }
# sweep NAME STEPS REPEATS [base line...]: a sweep of two runs a repeat, on stdout
sweep() {
  local name=$1 steps=$2 repeats=$3; shift 3
  printf '[sweep]\nname = "%s"\nrepeats = %s\n[base]\nmodel = "%s"\nsize = "64x64"\nframes = 5\nsteps = %s\ndevice_memory = 0.5\n' \
    "$name" "$repeats" "$MODEL" "$steps"
  for line; do echo "$line"; done
  printf '[matrix]\noffload = ["resident", "swap"]\n'
}
cluster() { cat <<'C'
partition = "gpu"
account = "demo"
gres = "gpu:h100"
gpus_per_node = 4
cores_per_node = 64
memory_per_node = 200000
max_nodes = 1
time_limit = "1:00:00"
array_limit = 1000
teraflops_per_rank = 0.001
startup_seconds = 5
shortest_time = "0:05:00"
host_memory_per_rank = 256
launcher = "mpirun"
binding = "none"
signal_before_end = 30
poll_seconds = 0
lost_seconds = 2
command_timeout = 5
C
}
# A Slurm that says what the files $FAKE/*.say say. sbatch.say sees $n, the number of the job.
fake_slurm() {
  export FAKE=$T/fake; mkdir -p "$FAKE/bin"
  for p in sbatch squeue sacct scancel sinfo scontrol; do
    printf '#!/bin/bash\necho "%s $*" >>$FAKE/calls\nenv | grep -E "^(SLURM|SBATCH)" >$FAKE/%s.env\n' $p $p >"$FAKE/bin/$p"
    [ $p = sbatch ] && cat >>"$FAKE/bin/$p" <<'S'
n=$(( $(cat $FAKE/next 2>/dev/null || echo 1000) + 1 )); echo $n >$FAKE/next
echo "$n $(sed -n 's/^#SBATCH --job-name=//p' "${!#}")" >>$FAKE/jobs
S
    echo "source \$FAKE/$p.say" >>"$FAKE/bin/$p"; echo : >"$FAKE/$p.say"; chmod +x "$FAKE/bin/$p"
  done
  echo 'echo $n' >"$FAKE/sbatch.say"
  export PATH=$FAKE/bin:$PATH
}
token() { awk "NR==${1:-1}{print \$2}" "$FAKE/jobs"; }
# queue 'STATE|REASON|NODES|WAIT|START|END': both members, as squeue prints them
queue() { local t; t=$(token); echo "printf '%s\n' '$t|1001|0|$1|' '$t|1001|1|$1|'" >"$FAKE/squeue.say"; }
