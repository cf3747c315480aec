# A tree that looks like a fresh clone after `make build`, as the current folder, and what runs a page's commands in it.
# Only what the commands find is smaller: the demo has one repeat of two ranks, Slurm is the stand-in of
# tests/cases/common/lib.sh.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../cases/common/lib.sh"
need make python3

mkdir tree; cd tree || exit 9
for each in "$SRC"/*; do
  # What the commands write, or what is made smaller, is no link.
  case $(basename "$each") in build | out | jobs | machines | slurm) ;; *) ln -s "$each" . ;; esac
done
mkdir -p build/demo out; ln -s "$BIN" build/demo/bin; ln -s demo build/release
cp -rL "$SRC/jobs" "$SRC/machines" "$SRC/slurm" .; chmod -R u+w jobs machines slurm
sed -i 's/^repeats = 3/repeats = 1/; s/^ranks = .*/ranks = [2]/; s/^steps = 27/steps = 8/' jobs/demo.toml
fake_slurm
echo 'echo "gpu|up|2-00:00:00|10|96|515000|gpu:h100:6(S:0-1)"' >"$FAKE/sinfo.say"
echo 'echo "MaxArraySize = 1001"' >"$FAKE/scontrol.say"

# commands PAGE: the commands of its indented blocks, one a line, without comments
commands() { sed -e ':a' -e '/\\$/N; s/ *\\\n */ /; ta' "$1" | sed -n 's/^    \([A-Za-z].*\)/\1/p' | sed 's/ *#.*//'; }

exports=
run() {  # run COMMAND: in a shell of its own, which has what an earlier `export` gave
  if bash -c "$exports$1" >"$T/out" 2>&1; then ok "$1"; else bad "exit $?: $1: $(tail -3 "$T/out")"; fi
}
shows() {  # shows WORDS COMMAND: one that does not end by itself prints these words
  timeout 5 bash -c "$exports$2" >"$T/out" 2>&1; local rc=$?
  [ $rc = 124 ] || [ $rc = 0 ] || bad "exit $rc: $2: $(tail -3 "$T/out")"
  if grep -q "$1" "$T/out"; then ok "$2"; else bad "$2 shows nothing"; fi
}
