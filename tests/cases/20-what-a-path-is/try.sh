#!/bin/bash
# Tries the kinds of model paths that people have. The worker, plan and resolve must say the same line on each.
. "$(dirname "$(readlink -f "$0")")/../common/lib.sh"
single=transformer_2/diffusion_pytorch_model.safetensors
copy() { mkdir -p "$(dirname "$1")"; cp -r "$MODEL" "$1"; }
t() {  # t PATH WORDS WHAT
  echo "-- $1: expect $3"
  refused 2 "$2" "$BIN"/wansweep-worker --model "$1" --inputs "$ONE" --steps 1 --device-memory 0.5 --out out; cat refused.err; rm -rf out
  sweep s 3 1 | sed "s|^model = .*|model = \"$1\"|" >s.toml; refused 2 "$2" "$BIN"/wansweep plan s.toml
}
copy lfs; printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9876543210\n' 0 >lfs/$single
t lfs 'git-lfs' 'that this is a git-lfs pointer, not the weights'
copy json; cp lfs/$single json/transformer/config.json
t json 'config.json.*git-lfs' 'the same of a config.json'
copy gone; ln -sf ../../blobs/ab12 gone/$single
t gone 'link to ../../blobs/ab12' 'that the link leads nowhere (an interrupted download)'
hub=models--Wan-AI--Wan2.2-T2V-A14B-Diffusers; copy $hub/snapshots/5be7
t $hub "give .*$hub/snapshots/5be7" 'to give snapshots/HASH of this hub cache'
copy custom; sed -i 's/"_class_name": "WanPipeline"/"_class_name": ["my_pipeline", "WanPipeline"]/' custom/model_index.json
t custom '_class_name is a list.*my_pipeline' 'that _class_name is a list, not "missing"'
printf 'GGUF\3\0\0\0%064d' 0 >model.gguf
t model.gguf 'GGUF' 'that it is GGUF, not a config.json without an id'
cp "$MODEL/$single" single.safetensors
t single.safetensors 'single-file checkpoint' 'that it is a single-file checkpoint'
mkdir -p original/{high,low}_noise_model; echo '{"_class_name":"WanModel","model_type":"t2v"}' >original/high_noise_model/config.json
t original 'original layout.*Wan2.2-T2V-A14B-Diffusers' 'that this is the original layout, and the -Diffusers one is needed'
mkdir pth; : >pth/Wan2.1_VAE.pth
t pth 'original layout.*-Diffusers' 'the same of the older one (*.pth)'
copy packed; LC_ALL=C sed -i 's/"dtype":"BF16","shape":\[192,192\]/"dtype":"U8","shape":[192,384]  /' packed/$single
t packed 'U8.*quantised' 'the type: 4-bit packed in U8; the shape alone blames the config'
copy nf4; sed -i 's/{/{"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true},/' nf4/transformer/config.json
t nf4 'quantised.*bitsandbytes' 'that it is quantised, by its config.json'
t "$MODEL/transformer" 'one expert' 'that this is one expert, and to give the directory above'
end
