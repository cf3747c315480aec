#!/bin/bash
# Every call that reads or writes a sweep's files fails once, in turn: an exceeded quota, a full disk, a stale handle of a network
# file system. Each verb reports this with one exit code, none takes what it could not read for absent, and the same command
# finishes the work afterwards, with exactly one job for every run.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
[ -f "${FAULT_SHIM:?}" ] || skip "needs $FAULT_SHIM"
fake_slurm; cluster >c.toml; sweep s 3 1 'ranks = 1' >s.toml
EIO=5 ENOSPC=28 ESTALE=116 EDQUOT=122
export FAULT_CALL FAULT_ERRNO FAULT_AT FAULT_PATH FAULT_FIRED=$T/fired
most=${FAULT_MOST:-30}  # calls of one kind that are made to fail, one a run of the program

# faulty COMMAND...: runs COMMAND with the fault; false when it made fewer such calls
faulty() {
  rm -f fired
  FAULT_PATH=$T/o LD_PRELOAD=$FAULT_SHIM timeout 30 "$@" >fault.out 2>fault.err; rc=$?
  [ -e fired ] || return 1
  case $rc in
    0 | 2 | 10 | 13 | 17 | 20) ;;
    *) bad "${*#"$BIN"/}: exit $rc when $FAULT_CALL number $FAULT_AT fails with $FAULT_ERRNO: $(head -c 200 fault.err)" ;;
  esac
  case $1 in */wansweep-worker) return 0 ;; esac  # MPI_Abort has a banner
  if [ $rc != 0 ] && [ $rc != 17 ] && [ "$(wc -l <fault.err)" != 1 ]; then
    bad "${*#"$BIN"/}: exit $rc and $(wc -l <fault.err) lines when $FAULT_CALL number $FAULT_AT fails: $(head -c 300 fault.err)"
  fi
}
# Slurm then has what sbatch was given, with both members pending.
slurm_knows() {
  cat >"$FAKE/squeue.say" <<'S'
while read -r id name; do for i in 0 1; do echo "$name|$id|$i|PENDING|Priority||0|N/A|N/A|"; done; done <$FAKE/jobs
S
  echo 'exit 1' >"$FAKE/sacct.say"
}
slurm_knows

tried=0
sweep_of() {  # sweep_of CALL ERRNO BEFORE CHECK COMMAND...
  FAULT_CALL=$1 FAULT_ERRNO=$2; local before=$3 check=$4; shift 4
  for ((FAULT_AT = 1; FAULT_AT <= most; ++FAULT_AT)); do
    $before
    faulty "$@" || break
    tried=$((tried + 1))
    $check
  done
}

nothing_there() { rm -rf o "$FAKE/jobs"; : >"$FAKE/jobs"; }
submitted_once() {
  "$BIN"/wansweep submit s.toml --cluster c.toml --dir o >again.out 2>&1 || bad "the same submit afterwards: $(tail -1 again.out)"
  "$BIN"/wansweep submit s.toml --cluster c.toml --dir o >again.out 2>&1
  local runs; runs=$(while read -r _ name; do cat "o/submissions/$name/manifest"; done <"$FAKE/jobs" | sed 's/-a[0-9]*$//' | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')
  [ "$runs" = "1 1 " ] || bad "$FAULT_CALL number $FAULT_AT failed with $FAULT_ERRNO: runs were given to Slurm \"$runs\"times"
}
for fault in "write $EDQUOT" "fsync $EDQUOT" "open $EDQUOT" "rename $ENOSPC" "link $ESTALE" "mkdir $EDQUOT" "read $ESTALE" "stat $ESTALE"; do
  # shellcheck disable=SC2086
  sweep_of $fault nothing_there submitted_once "$BIN"/wansweep submit s.toml --cluster c.toml --dir o
done
ok "submit: $tried faults"

nothing_there; "$BIN"/wansweep submit s.toml --cluster c.toml --dir o >/dev/null
never_absent() {
  grep -q "not started\|withdrawn" fault.out && bad "status takes for absent what it could not read ($FAULT_CALL number $FAULT_AT): $(tail -3 fault.out)"
  "$BIN"/wansweep status o | grep -q "2 queued" || bad "status afterwards does not show both: $FAULT_CALL number $FAULT_AT"
}
tried=0
for fault in "open $ESTALE" "read $EIO" "stat $ESTALE" "write $EDQUOT" "fsync $EDQUOT" "rename $EDQUOT"; do
  # shellcheck disable=SC2086
  sweep_of $fault : never_absent "$BIN"/wansweep status o
done
ok "status: $tried faults"

nothing_there; sweep s 3 1 >s.toml; "$BIN"/wansweep run s.toml --dir o >/dev/null 2>&1
no_database() { rm -f o/results.db*; }
gathered() {
  "$BIN"/wansweep gather o >again.out 2>&1 || bad "gather after $FAULT_CALL number $FAULT_AT: $(tail -1 again.out)"
  [ "$("$BIN"/wansweep query o "select count(*) from runs" --csv | tail -1 | tr -d "\r")" = 2 ] || bad "gather after $FAULT_CALL number $FAULT_AT lost a run"
}
tried=0
for fault in "open $ESTALE" "read $EIO" "write $EDQUOT" "fsync $EDQUOT" "stat $ESTALE"; do
  # shellcheck disable=SC2086
  sweep_of $fault no_database gathered "$BIN"/wansweep gather o
done
ok "gather: $tried faults"

# The worker alone, with one rank: a file that it wrote and cannot read back counts as a failed output too.
no_output() { rm -rf o; }
ended_as_output() {
  [ $rc = 0 ] || [ $rc = 13 ] || bad "the worker ends with $rc when $FAULT_CALL number $FAULT_AT fails with $FAULT_ERRNO: $(head -1 fault.err)"
  [ $rc = 0 ] || [ ! -e o/completed.json ] || [ "$FAULT_CALL" = fsync ] || [ "$FAULT_CALL" = open ] ||
    bad "the worker ends with $rc and a completion record"
}
tried=0
for fault in "write $EDQUOT" "fsync $EDQUOT" "open $EDQUOT" "rename $ENOSPC" "mkdir $EDQUOT" "stat $ESTALE" "read $ESTALE"; do
  # shellcheck disable=SC2086
  sweep_of $fault no_output ended_as_output "$BIN"/wansweep-worker --model "$MODEL" --size 64x64 --frames 5 --steps 2 --out "$T/o"
done
ok "worker: $tried faults"
end
