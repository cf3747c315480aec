#!/bin/bash
# flow_shift is inf or nan.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
for key in flow_shift guidance_scale boundary_ratio prefetch link_bandwidth; do for v in inf -inf nan; do
  sweep s 3 1 "$key = $v" >s.toml; refused 2 "$key is $v" "$BIN"/wansweep plan s.toml; done; done
end
