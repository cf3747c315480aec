#!/bin/bash
# Another user has put things into a shared sweep: entries that are no attempts, and a link where Slurm will write a job's output.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
fake_slurm; cluster >c.toml; sweep s 3 1 'ranks = 1' >s.toml
umask 000  # as on a group's scratch
"$BIN"/wansweep submit s.toml --cluster c.toml --dir o >/dev/null || bad "submit failed"
t=$(token)
[ "$(stat -c %a "o/submissions/$t")" = 755 ] || bad "others can write where Slurm appends a job's output: $(stat -c %a "o/submissions/$t")"

mkfifo o/attempts/fifo; : >o/attempts/file; ln -s loop o/attempts/loop; mkdir o/attempts/folder; mkfifo o/attempts/run-1-a1
queue 'PENDING|Priority||0|N/A|N/A'
timeout 20 "$BIN"/wansweep status o >status.out 2>&1 || bad "status: exit $?"
grep -q "2 queued" status.out || bad "the runs are not shown"
grep -q "claim: cannot be read" status.out && bad "status speaks of a claim of what is no attempt"
grep -q "attempts/fifo: is not a folder and so not an attempt" status.out || bad "the fifo is not explained: $(grep fifo status.out)"
grep -q "run-1-a1: is not a folder.*although its name is that of one" status.out || bad "a fifo called like an attempt: $(grep run-1 status.out)"

# A wrapper replaces the submission's folder after it was made and before sbatch runs, as another user could.
echo 'echo refused >&2; exit 1' >"$FAKE/sbatch.say"
sed -i 's/name = "s"/name = "p"/' s.toml
mkdir -p p/attempts; ln -s "$T/elsewhere" p/submissions; mkdir elsewhere
"$BIN"/wansweep submit s.toml --cluster c.toml --dir p >/dev/null 2>&1
for s in elsewhere/*; do [ "$(stat -c %a "$s")" = 755 ] || bad "$s can be written by others"; done
end
