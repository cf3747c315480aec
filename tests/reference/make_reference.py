#!/usr/bin/env python3
"""Makes and checks the reference trajectories with the public diffusers library, in float32 on a CPU.

    make_reference.py check [DIR]        recompute every trajectory in DIR from its own inputs, and compare
    make_reference.py make DIR [--seed]  a new tiny model and its trajectories in DIR

Needs: diffusers==0.40.0 (its 0.40.0.dev0 made the data here), torch==2.11.0, safetensors, numpy.
"""

import argparse
import json
import pathlib
import sys

import torch
from diffusers import UniPCMultistepScheduler, WanTransformer3DModel
from safetensors import safe_open
from safetensors.torch import save_file

EXPERTS = ("transformer", "transformer_2")
TINY = dict(patch_size=(1, 2, 2), num_attention_heads=8, attention_head_dim=24, in_channels=16, out_channels=16,
            text_dim=64, freq_dim=64, ffn_dim=512, num_layers=2)
# name: (latent frames, height, width), text tokens, steps, flow shift
TRAJECTORIES = {
    "shift12": ((3, 8, 16), 40, 27, 12.0),
    "shift3": ((3, 8, 16), 40, 27, 3.0),
    "odd-length": ((3, 10, 14), 40, 27, 12.0),
    "one-step": ((1, 8, 8), 16, 1, 12.0),
}
GUIDANCE = (4.0, 3.0)
BOUNDARY_RATIO = 0.875


def load_experts(model):
    return [WanTransformer3DModel.from_pretrained(model, subfolder=name, torch_dtype=torch.float32).eval()
            for name in EXPERTS]


@torch.no_grad()
def run_loop(experts, latents, prompt, negative_prompt, steps, flow_shift):
    """One denoising run, as WanPipeline makes it: every tensor that a trajectory file holds."""
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=flow_shift,
                                        num_train_timesteps=1000)
    scheduler.set_timesteps(steps)
    out = {"initial_latents": latents, "prompt_embeds": prompt, "negative_prompt_embeds": negative_prompt,
           "timesteps": scheduler.timesteps.float(), "sigmas": scheduler.sigmas.float()}
    used, predictions, trajectory = [], [], []
    for t in scheduler.timesteps:
        expert = 0 if t >= BOUNDARY_RATIO * 1000 else 1
        timestep = t.expand(latents.shape[0])
        cond = experts[expert](latents, timestep, prompt, return_dict=False)[0]
        uncond = experts[expert](latents, timestep, negative_prompt, return_dict=False)[0]
        if not used:
            out["cond_pred_step1"], out["uncond_pred_step1"] = cond, uncond
        if expert == 1 and 2 not in used:
            out["cond_pred_switch"] = cond
        noise_pred = uncond + GUIDANCE[expert] * (cond - uncond)
        latents = scheduler.step(noise_pred, t, latents, return_dict=False)[0]
        used.append(expert + 1)
        predictions.append(noise_pred)
        trajectory.append(latents)
    out["expert"] = torch.tensor(used, dtype=torch.int32)
    out["noise_pred"] = torch.stack(predictions)
    out["latents"] = torch.stack(trajectory)
    return out


def relative_error(ours, theirs):
    return ((ours - theirs).double().norm() / theirs.double().norm().clamp_min(1e-30)).item()


def check(directory):
    experts = load_experts(directory / "tiny-wan2.2-t2v")
    worst = 0.0
    for file in sorted(directory.glob("trajectory-*.safetensors")):
        with safe_open(file, "pt") as saved:
            theirs = {name: saved.get_tensor(name) for name in saved.keys()}
            settings = saved.metadata()
        ours = run_loop(experts, theirs["initial_latents"], theirs["prompt_embeds"], theirs["negative_prompt_embeds"],
                        int(settings["num_inference_steps"]), float(settings["flow_shift"]))
        if set(ours) != set(theirs):
            sys.exit(f"{file}: holds {sorted(theirs)}, the loop makes {sorted(ours)}")
        for name in sorted(theirs):
            error = relative_error(ours[name].float(), theirs[name].float())
            worst = max(worst, error)
            print(f"{file.name:36} {name:24} relative L2 {error:.2e}")
    print(f"worst: {worst:.2e}")
    return 0 if worst <= 1e-5 else 1


def random_weights(model, generator):
    """Non-trivial everywhere, so that a term that is left out shows; exactly representable in bfloat16."""
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if weight.dim() >= 2 and name.endswith("weight"):
            weight.data = noise / weight[0].numel() ** 0.5
        elif "norm" in name and name.endswith("weight"):
            weight.data = 1 + 0.2 * noise
        else:
            weight.data = 0.2 * noise
        weight.data = weight.data.bfloat16().float()


def make(directory, seed):
    model_dir = directory / "tiny-wan2.2-t2v"
    model_dir.mkdir(parents=True)
    generator = torch.Generator().manual_seed(seed)
    for name in EXPERTS:
        model = WanTransformer3DModel(**TINY)
        random_weights(model, generator)
        model.to(torch.bfloat16).save_pretrained(model_dir / name,
                                                 max_shard_size="1500KB" if name == "transformer" else "10GB")
    index = {"_class_name": "WanPipeline", "_diffusers_version": "0.35.0.dev0", "boundary_ratio": BOUNDARY_RATIO,
             "expand_timesteps": False, "scheduler": ["diffusers", "UniPCMultistepScheduler"],
             "text_encoder": ["transformers", "UMT5EncoderModel"], "tokenizer": ["transformers", "T5TokenizerFast"],
             "transformer": ["diffusers", "WanTransformer3DModel"],
             "transformer_2": ["diffusers", "WanTransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"]}
    (model_dir / "model_index.json").write_text(json.dumps(index, indent=2))
    UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True,
                            flow_shift=12.0).save_pretrained(model_dir / "scheduler")

    experts = load_experts(model_dir)
    for name, (sizes, text_tokens, steps, flow_shift) in TRAJECTORIES.items():
        generator.manual_seed(seed + 1)
        latents = torch.randn((1, 16, *sizes), generator=generator)
        prompt, negative = torch.randn((2, 1, text_tokens, TINY["text_dim"]), generator=generator).unbind(0)
        tensors = run_loop(experts, latents, prompt, negative, steps, flow_shift)
        used = tensors["expert"].tolist()
        settings = {"num_inference_steps": steps, "flow_shift": flow_shift, "guidance_scale": GUIDANCE[0],
                    "guidance_scale_2": GUIDANCE[1], "boundary_ratio": BOUNDARY_RATIO, "dtype": "torch.float32",
                    "switch_step": used.index(2) + 1 if 2 in used else None}
        save_file({key: value.contiguous() for key, value in tensors.items()},
                  directory / f"trajectory-{name}.safetensors", {key: str(value) for key, value in settings.items()})
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    check_verb = verbs.add_parser("check")
    check_verb.add_argument("directory", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    make_verb = verbs.add_parser("make")
    make_verb.add_argument("directory", type=pathlib.Path)
    make_verb.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.verb == "check":
        return check(arguments.directory)
    return make(arguments.directory, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
