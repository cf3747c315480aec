#!/bin/bash
# The weights are unusable: a shard whose download did not end, a git-lfs pointer, a type that the worker does not read, another
# model's config.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
cluster >cl.toml; for m in a b c d; do cp -r "$MODEL" $m; done
single=transformer_2/diffusion_pytorch_model.safetensors
mv a/transformer/diffusion_pytorch_model-00002-of-00002.safetensors{,.incomplete}
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9876543210\n' 0 >b/$single
LC_ALL=C sed -i 's/"dtype":"BF16","shape":\[192,192\]/"dtype":"U8","shape":[192,384]  /' c/$single; cmp -s c/$single "$MODEL/$single" && bad "this script's own: no such tensor"
for e in transformer transformer_2; do sed -i 's/"ffn_dim": 512/"ffn_dim": 256/' d/$e/config.json; done
t() {
  sweep s 3 1 | sed "s|^model = .*|model = \"$T/$1\"|" >"$1.toml"
  for verb in "plan $1.toml" "generate $1.toml --cluster cl.toml --dir G$1" "submit $1.toml --cluster cl.toml --dir L$1 --dry-run" "run $1.toml --dir R$1"; do
    refused 2 "$2" "$BIN"/wansweep $verb; done
  [ ! -e "G$1/attempts" ] && [ ! -e "R$1/attempts" ] || bad "attempts were made"
  refused 2 "$2" "$BIN"/wansweep-worker --model "$1" --inputs "$ONE" --steps 1 --device-memory 0.5 --out "w$1"
}
t a '00002-of-00002.safetensors, which does not exist'
t b 'git-lfs pointer'
t c 'type U8'
t d 'shape \[512, 192\]'
# Random weights need no files.
sed 's|^offload|weights = ["random:1"]\n&|' a.toml >random.toml; "$BIN"/wansweep plan random.toml >/dev/null || bad "plan refuses random weights"
end
