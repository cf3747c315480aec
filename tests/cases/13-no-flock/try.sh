#!/bin/bash
# The file system has no flock (Lustre mounted without -o flock).
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
cat >f.c <<'C'
#include <errno.h>
int flock(int fd, int op) { (void)fd; (void)op; errno = ENOSYS; return -1; }
C
command -v cc >/dev/null || skip "needs a C compiler"; cc -shared -fPIC -o f.so f.c || exit 9; sweep s 3 1 >s.toml
LD_PRELOAD=$T/f.so "$BIN"/wansweep run s.toml --dir A 2>err; rc=$?; cat err; [ $rc = 0 ] || { grep -qi 'flock\|--dir\|mount' err || bad "run: exit $rc, and not a word on what to do"; }
end
