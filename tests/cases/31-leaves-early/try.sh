#!/bin/bash
# A reader leaves early, a path is an empty word, settings mean nothing, and the end of a run was not written down.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
sweep s 3 1 >s.toml
"$BIN"/wansweep run s.toml --dir o >/dev/null 2>&1; "$BIN"/wansweep gather o >/dev/null
a=$(ls -d o/attempts/*-a1 | head -1)

# leaves FILE: makes a pipe whose reader takes one byte and ends
leaves() { rm -f pipe; mkfifo pipe; (head -c 1 pipe >/dev/null) & }
leaves; refused 13 "pipe: cannot write: Broken pipe" "$BIN"/wansweep report o -o pipe; wait
(trap '' PIPE; "$BIN"/wansweep query o "with recursive n(i) as (select 1 union all select i+1 from n where i<1000000) select i from n" --max-rows 1000000 2>query.err; echo $? >query.rc) | head -1 >/dev/null
{ [ "$(cat query.rc)" = 13 ] && [ "$(wc -l <query.err)" = 1 ]; } || bad "query | head: exit $(cat query.rc): $(head -c 200 query.err)"

refused 2 "perfetto.*is empty; give a value" "$BIN"/wansweep export "$a" --perfetto ""
refused 2 "output.*is empty; give a value" "$BIN"/wansweep report o -o ""
refused 2 "is empty; give a value" "$BIN"/wansweep status ""
refused 2 "dir.*is empty; give a value" "$BIN"/wansweep run s.toml --dir ""

sweep t 3 1 'step_timeout = 1e-9' >t.toml
refused 2 "step_timeout is 1e-09; 0, or a value between 1 and" "$BIN"/wansweep plan t.toml
sweep u 3 1 'ranks = 1000' 'ulysses = 1' >u.toml
WANSWEEP_HOST_MEMORY=1 refused 2 "ranks is 1000: .* needs .* GiB of memory, but this machine has" "$BIN"/wansweep run u.toml --dir u
[ -z "$(ls u/attempts 2>/dev/null)" ] || bad "1000 ranks were started in 1 GiB"

# The attempt is left as it is when the disk was full before the first record of its end.
rm "$a/state.json"
"$BIN"/wansweep status o >status.out
grep -q "running or lost" status.out && bad "status says \"running or lost\" though nothing runs"
grep -q " lost .*its end was not recorded" status.out || bad "status does not say that it ended: $(grep "${a##*/}" status.out)"
"$BIN"/wansweep run s.toml --dir o >/dev/null || bad "the same command does not settle it"
"$BIN"/wansweep status o | grep -q "2 completed" || bad "not all completed after the same command"
end
