#!/bin/bash
# cancel --run gets a mistyped run name while Slurm runs both members.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
fake_slurm; cluster >cl.toml; sweep s 3 1 >s.toml; "$BIN"/wansweep submit s.toml --cluster cl.toml --dir L >/dev/null; queue 'RUNNING|None|n1|0|1790000000|N/A'
"$BIN"/wansweep cancel L --run r1-swap-shift12-oops; rc=$?; [ $rc = 2 ] || bad "exit $rc and \"it has no job in Slurm\"; two members run"
end
