#!/bin/bash
# A word is misspelt, or a directory is given in place of another or of a file: the line says what would be right.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
sweep s 3 1 >s.toml; mkdir none

refused 2 "unknown verb pln; did you mean plan? see wansweep --help" "$BIN"/wansweep pln s.toml
refused 2 "unknown verb chek; did you mean check? see wansweep cluster --help" "$BIN"/wansweep cluster chek
refused 2 "unknown option --jsn; did you mean --json? see wansweep plan --help" "$BIN"/wansweep plan s.toml --jsn
refused 2 "unknown option --offlod; did you mean --offload? see wansweep-worker --help" "$BIN"/wansweep-worker --offlod swap --out o

refused 2 "none: is not a sweep's directory (it has no attempts/); give" "$BIN"/wansweep gather none
[ -z "$(ls -A none)" ] || bad "gather left $(ls -A none) in a directory that is no sweep's"
refused 2 "the current directory is not a sweep's; add --dir .* wansweep logs RUN --dir out/demo" "$BIN"/wansweep logs RUN
refused 2 "the current directory is not a sweep's directory (it has no sweep.json); give" "$BIN"/wansweep status
refused 2 "nosuch: no such directory; give the directory of" "$BIN"/wansweep status nosuch

"$BIN"/wansweep run s.toml --dir A >/dev/null 2>&1; "$BIN"/wansweep gather A --quiet
refused 2 "A: is a sweep's directory; give its file: .*/s.toml --dir A" "$BIN"/wansweep run A
"$BIN"/wansweep rerun A --set flow_shift=3 --reason "a test" --dir R >/dev/null
refused 2 "R: is a sweep's directory; give its file: R/sweep.toml --dir R" "$BIN"/wansweep run R
refused 2 "none: is a directory; give a sweep's TOML file" "$BIN"/wansweep plan none

echo "a text that begins with letters" >text
sed "s|^model.*|&\ninputs = \"text\"|; /^size/d; /^frames/d" s.toml >t.toml
refused 2 "text: is not a safetensors file: its first 8 bytes should be the length of its header" "$BIN"/wansweep run t.toml
"$BIN"/wansweep run s.toml --dir B --worker /bin/false >false.out
grep -q "failed (exit code 1) after .*: a rank ended with a non-zero exit code and printed no reason" false.out ||
  bad "of a program that is no worker, run says: $(grep failed false.out | head -1)"
end
