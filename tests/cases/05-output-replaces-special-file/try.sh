#!/bin/bash
# The output is a link, a pipe or a device. Nothing in /dev itself is tried.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
sweep s 4 1 >s.toml; "$BIN"/wansweep run s.toml --dir A >/dev/null 2>&1; "$BIN"/wansweep gather A >/dev/null; a=$(ls -d A/attempts/* | head -1)
echo keep >target; ln -s target link; "$BIN"/wansweep export "$a" --perfetto link; rc=$?; [ -L link ] || bad "a symbolic link was replaced by a file; its target still says: $(cat target)"
[ $rc != 0 ] || [ "$(cat target)" != keep ] || bad "exit 0, and nothing was written where the link leads"
mkfifo pipe; timeout 5 cat pipe >got & "$BIN"/wansweep export "$a" --perfetto pipe; wait; [ -p pipe ] || bad "a pipe was replaced by a file; its reader got $(stat -c %s got) bytes"
[ -s got ] || bad "the pipe's reader got nothing"
ln -s /proc/self/fd/1 out; n=$("$BIN"/wansweep report A -o out | wc -c); [ -L out ] || bad "as for /dev/stdout: the link was replaced; standard output got $n bytes"
if mknod null c 1 3 2>/dev/null && : 2>/dev/null >null; then
  "$BIN"/wansweep report A -o null; [ -c null ] || bad "a device was replaced by a file of $(stat -c %s null) bytes (as root, /dev/null would be)"
  mknod full c 1 7; "$BIN"/wansweep report A -o full; rc=$?; [ -c full ] && [ $rc = 13 ] || bad "a full device: exit $rc, $(stat -c %F full)"
fi
end
