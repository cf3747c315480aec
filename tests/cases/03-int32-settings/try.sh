#!/bin/bash
# Settings beyond 2^31 must not be cut to 32 bits, and settings too large to compute with must not crash.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
sweep s 4294967323 1 >s.toml; refused 2 'steps is 4294967323' "$BIN"/wansweep plan s.toml
try() { sweep s 3 1 "$2" | sed '/^frames = 5/{'"$3"'}' >s.toml; refused 2 "$1" "$BIN"/wansweep plan s.toml; }
try 'ranks is 4294967300' 'ranks = 4294967300'
try 'ulysses is 4294967297' $'ulysses = 4294967297\nring = 1'
try 'ring is 4294967297' $'ulysses = 1\nring = 4294967297'
try 'frames is 9223372036854775805' 'frames = 9223372036854775805' d
w() { refused 2 "$1" "$BIN"/wansweep-worker --model "$MODEL" --device-memory 0.5 --out w "${@:2}"; [ ! -e w/completed.json ] || bad "the worker ran: $1"; rm -rf w; }
w 'steps is 4294967297' --inputs "$ONE" --steps 4294967297
w 'frames is 9223372036854775805' --size 64x64 --frames 9223372036854775805 --steps 1
w 'random:18446744073709551616' --inputs "$ONE" --steps 1 --weights random:18446744073709551616
end
