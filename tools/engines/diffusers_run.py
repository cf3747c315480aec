#!/usr/bin/env python3
"""Runs Wan through diffusers: as an engine of a sweep, and by hand from a prompt to a video.

As an engine, one process a rank; wansweep makes this command:
    torchrun --standalone --nproc-per-node 4 diffusers_run.py --spec ATTEMPT/spec.json --out ATTEMPT
By hand:
    diffusers_run.py --model DIR --prompt "..." --size 832x480 --frames 81 --steps 27 --out out/cat --video cat.mp4
    diffusers_run.py --model DIR --prompt "..." --size 832x480 --frames 81 --save-embeddings inputs.safetensors
    wansweep-worker --model DIR --inputs inputs.safetensors ... --out out/
    diffusers_run.py --model DIR --decode out/result.safetensors --video cat.mp4

Offload: `resident` keeps both experts on the device; `swap` is enable_model_cpu_offload, one whole expert at a time;
`layerwise` is group offload of single blocks on a stream of its own. A first request of one step is not counted
(--no-warm-up leaves it out). Writes steps-rank-NNNN.json (step_record.py), result.safetensors, and with --profile a
trace of the PyTorch profiler. Needs torch, diffusers, transformers, accelerate and safetensors.
"""

import argparse
import hashlib
import json
import os
import pathlib
import sys

from step_record import StepRecorder, environment_of, write_record

OFFLOADS = ("resident", "swap", "layerwise")
TEXT_TOKENS = 512  # of the encoder, padded


def fail(line):
    """Bad input: one line and wansweep's exit code for it."""
    print(f"diffusers_run: {line}", file=sys.stderr)
    sys.exit(2)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", help="a run's settings as wansweep writes them; the options below go before them")
    parser.add_argument("--out", default=".", help="where records, trace and result.safetensors go")
    parser.add_argument("--model", help="directory in diffusers layout")
    parser.add_argument("--prompt")
    parser.add_argument("--negative-prompt", default="")
    parser.add_argument("--inputs", help="safetensors file with initial_latents and the prompts' embeddings")
    parser.add_argument("--size", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--flow-shift", dest="flow_shift", type=float)
    parser.add_argument("--guidance-scale", dest="guidance_scale", type=float)
    parser.add_argument("--guidance-scale-2", dest="guidance_scale_2", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--offload", choices=OFFLOADS)
    parser.add_argument("--ulysses", type=int)
    parser.add_argument("--ring", type=int)
    parser.add_argument("--backend", choices=("cuda", "cpu"))
    parser.add_argument("--attention", help="attention backend of diffusers, such as _native_cudnn or flash")
    parser.add_argument("--profile", action="store_true", help="a trace of the PyTorch profiler, one a rank")
    parser.add_argument("--no-warm-up", dest="warm_up", action="store_false")
    parser.add_argument("--save-embeddings", metavar="FILE", help="write the inputs of wansweep-worker, and end")
    parser.add_argument("--decode", metavar="RESULT", help="turn a result.safetensors into a video, and end")
    parser.add_argument("--video", metavar="FILE.mp4", help="decode the latents into a video")
    parser.add_argument("--fps", type=int, default=16)
    return parser.parse_args()


def settings_of(options):
    """The run's settings: those of --spec, then the options given, then the defaults of a run by hand."""
    settings = {"offload": "resident", "seed": 0, "ulysses": 1, "ring": 1, "weights": "files", "precision": "auto",
                "backend": "cuda", "steps": 40, "guidance_scale": 4.0, "frames": 81, "size": "832x480"}
    if options.spec:
        spec = json.loads(pathlib.Path(options.spec).read_text())
        plan = spec.get("plan", {})
        settings |= {name: value for name, value in spec.items() if name != "origins" and value not in (None, "")}
        settings |= {name: plan[name] for name in ("ulysses", "ring") if name in plan}
    given = vars(options)
    settings |= {name: given[name] for name in ("model", "prompt", "inputs", "size", "frames", "steps", "flow_shift",
                                                "guidance_scale", "guidance_scale_2", "seed", "offload", "ulysses",
                                                "ring", "backend") if given[name] is not None}
    if options.profile:
        settings["engine_profile"] = True
    if not settings.get("model"):
        fail("no model is given; --model DIR, or a spec that has one, is needed")
    return settings


def random_transformer(torch, diffusers, config_file, seed, dtype, device):
    """A transformer of the size that config.json says, with small random weights: for runs without a checkpoint.
    They are drawn on `device`, which is faster, and stay on the host, as weights of files would."""
    config = json.loads(pathlib.Path(config_file).read_text())
    generator = torch.Generator(device).manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("meta"):
            model = diffusers.WanTransformer3DModel.from_config(config)
        model = model.to_empty(device="cpu")
    finally:
        torch.set_default_dtype(before)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, device=device, dtype=dtype) * 0.02)
        # Tables that are computed, not loaded, were left empty too.
        model.rope = type(model.rope)(model.config.attention_head_dim, model.config.patch_size,
                                      model.config.rope_max_seq_len)
    return model


def load_pipeline(torch, diffusers, settings, dtype, device):
    model = pathlib.Path(settings["model"])
    if model.is_file():  # a bare config.json: both experts are of that size
        scheduler = diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)
        configs = [model, model] if settings.get("boundary_ratio") else [model]
    else:
        scheduler = diffusers.UniPCMultistepScheduler.from_pretrained(model, subfolder="scheduler")
        configs = [model / name / "config.json" for name in ("transformer", "transformer_2")
                   if (model / name / "config.json").is_file()]
    if settings["weights"].startswith("random:"):
        seed = int(settings["weights"].partition(":")[2])
        experts = [random_transformer(torch, diffusers, config, seed + i, dtype, device)
                   for i, config in enumerate(configs)]
    else:
        experts = [diffusers.WanTransformer3DModel.from_pretrained(config.parent, torch_dtype=dtype)
                   for config in configs]
    boundary = settings.get("boundary_ratio") if len(experts) == 2 else None
    if len(experts) == 2 and boundary is None:
        boundary = json.loads((model / "model_index.json").read_text()).get("boundary_ratio")
    shift = settings.get("flow_shift")
    if shift is not None:
        scheduler = diffusers.UniPCMultistepScheduler.from_config(scheduler.config, flow_shift=shift)
    return diffusers.WanPipeline(tokenizer=None, text_encoder=None, vae=None, scheduler=scheduler,
                                 transformer=experts[0], transformer_2=experts[1] if len(experts) == 2 else None,
                                 boundary_ratio=boundary)


def encode(torch, settings, negative_prompt, device):
    """The prompts' embeddings, [1, 512, text_dim]; the encoder is let go afterwards."""
    from diffusers import WanPipeline
    from transformers import AutoTokenizer, UMT5EncoderModel
    model = settings["model"]
    tokenizer = AutoTokenizer.from_pretrained(model, subfolder="tokenizer")
    encoder = UMT5EncoderModel.from_pretrained(model, subfolder="text_encoder", dtype=torch.bfloat16).to(device)
    pipeline = WanPipeline(tokenizer=tokenizer, text_encoder=encoder, vae=None, scheduler=None)
    with torch.no_grad():
        return pipeline.encode_prompt(prompt=settings["prompt"], negative_prompt=negative_prompt,
                                      max_sequence_length=TEXT_TOKENS, device=device)


def latents_shape(settings, channels):
    width, height = (int(pixels) for pixels in settings["size"].split("x"))
    return 1, channels, (settings["frames"] - 1) // 4 + 1, height // 8, width // 8


def make_inputs(torch, settings, options, device, channels, text_dim):
    """initial_latents (fp32), prompt_embeds and negative_prompt_embeds, on the CPU: of a file, a prompt, or a seed."""
    if settings.get("inputs"):
        from safetensors.torch import load_file
        return load_file(settings["inputs"])
    generator = torch.Generator("cpu").manual_seed(settings["seed"])
    inputs = {"initial_latents": torch.randn(latents_shape(settings, channels), generator=generator)}
    if settings.get("prompt"):
        prompt, negative = encode(torch, settings, options.negative_prompt, device)
        return inputs | {"prompt_embeds": prompt.float().cpu(), "negative_prompt_embeds": negative.float().cpu()}
    if not settings["weights"].startswith("random:"):
        fail("no prompt and no inputs are given; with a checkpoint one of them is needed")
    draw = lambda: torch.randn((1, TEXT_TOKENS, text_dim), generator=generator)  # noqa: E731
    return inputs | {"prompt_embeds": draw(), "negative_prompt_embeds": draw()}


def shard(torch, diffusers, expert, settings, device):
    """Spreads the expert's tokens over the ranks. diffusers looks for an accelerator to place the ranks on; on the CPU the mesh
    is of processes, over gloo."""
    config = diffusers.ContextParallelConfig(ulysses_degree=settings["ulysses"], ring_degree=settings["ring"])
    if device.type == "cpu":
        def over_processes(wanted):
            parallel = diffusers.ParallelConfig(context_parallel_config=wanted)
            mesh = torch.distributed.device_mesh.init_device_mesh("cpu", mesh_shape=wanted.mesh_shape,
                                                                  mesh_dim_names=wanted.mesh_dim_names)
            parallel.setup(torch.distributed.get_rank(), torch.distributed.get_world_size(), device, mesh=mesh)
            expert._parallel_config = parallel
            return parallel

        expert._resolve_parallel_config = over_processes
    expert.enable_parallelism(config=config)


def place(torch, diffusers, pipeline, settings, device, options):
    """Shards the experts, then brings them where the offload mode wants them. On the CPU layerwise goes through the same hooks,
    though host and device are one memory and nothing moves: for a sweep's first try where there is no GPU."""
    experts = [expert for expert in (pipeline.transformer, pipeline.transformer_2) if expert is not None]
    for expert in experts:
        if options.attention:
            expert.set_attention_backend(options.attention)
        if settings["ulysses"] * settings["ring"] > 1:
            shard(torch, diffusers, expert, settings, device)
    if settings["offload"] == "swap":
        if device.type == "cpu":
            fail("offload is swap, but backend is cpu; diffusers moves whole experts only with backend cuda")
        pipeline.enable_model_cpu_offload(device=device)
    elif settings["offload"] == "layerwise":
        for expert in experts:
            expert.enable_group_offload(onload_device=device, offload_device=torch.device("cpu"),
                                        offload_type="block_level", num_blocks_per_group=1,
                                        use_stream=device.type == "cuda")
    else:
        pipeline.to(device)


def denoise(torch, pipeline, settings, inputs, steps, recorder):
    def step_ended(pipe, index, timestep, kwargs):
        if recorder:
            recorder.step_ended(float(timestep), pipe.scheduler.sigmas[index], index == steps - 1)
        return kwargs

    hooks = []
    if recorder:
        hooks = [expert.register_forward_pre_hook(lambda *_: recorder.begin())
                 for expert in (pipeline.transformer, pipeline.transformer_2) if expert is not None]
    _, _, frames, height, width = inputs["initial_latents"].shape
    try:
        return pipeline(
            prompt_embeds=inputs["prompt_embeds"].to(pipeline._execution_device),
            negative_prompt_embeds=inputs["negative_prompt_embeds"].to(pipeline._execution_device),
            latents=inputs["initial_latents"].clone().to(pipeline._execution_device), height=height * 8,
            width=width * 8, num_frames=(frames - 1) * 4 + 1, num_inference_steps=steps,
            guidance_scale=settings["guidance_scale"],
            guidance_scale_2=settings.get("guidance_scale_2") if pipeline.transformer_2 is not None else None,
            output_type="latent", callback_on_step_end=step_ended, return_dict=False)[0]
    finally:
        for hook in hooks:
            hook.remove()


def decode(torch, diffusers, settings, latents, device, file, fps):
    from diffusers.utils import export_to_video
    vae = diffusers.AutoencoderKLWan.from_pretrained(settings["model"], subfolder="vae", torch_dtype=torch.float32)
    vae = vae.to(device)
    statistics = (torch.tensor(values, device=device).view(1, -1, 1, 1, 1)
                  for values in (vae.config.latents_mean, vae.config.latents_std))
    mean, deviation = statistics
    with torch.no_grad():
        video = vae.decode(latents.to(device, torch.float32) * deviation + mean, return_dict=False)[0]
    frames = diffusers.video_processor.VideoProcessor(vae_scale_factor=8).postprocess_video(video, output_type="np")[0]
    print(f"{file}: {len(frames)} frames", flush=True)
    export_to_video(list(frames), file, fps=fps)


def digest(latents):
    return hashlib.sha256(latents.float().cpu().contiguous().numpy().tobytes()).hexdigest()


def main():
    options = arguments()
    settings = settings_of(options)
    import diffusers
    import torch
    from safetensors.torch import load_file, save_file
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if settings["backend"] == "cuda" and not torch.cuda.is_available():
        print("diffusers_run: there is no CUDA device; give --backend cpu, or run on a machine that has one",
              file=sys.stderr)
        return 14
    device = torch.device("cpu")
    if settings["backend"] == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        torch.cuda.set_device(device)
    if ranks > 1:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if ranks != settings["ulysses"] * settings["ring"]:
        fail(f"there are {ranks} processes; ulysses {settings['ulysses']} x ring {settings['ring']} are needed")
    if options.decode:
        decode(torch, diffusers, settings, load_file(options.decode)["latents"], device, options.video or "video.mp4",
               options.fps)
        return 0
    if options.save_embeddings:
        save_file(make_inputs(torch, settings, options, device, 16, 4096), options.save_embeddings)
        print(f"{options.save_embeddings}: inputs for wansweep-worker --inputs", flush=True)
        return 0

    wide = settings["precision"] == "fp32" or device.type == "cpu"
    pipeline = load_pipeline(torch, diffusers, settings, torch.float32 if wide else torch.bfloat16, device)
    pipeline.set_progress_bar_config(disable=True)
    config = pipeline.transformer.config
    inputs = make_inputs(torch, settings, options, device, config.in_channels, config.text_dim)
    place(torch, diffusers, pipeline, settings, device, options)
    if options.warm_up:
        denoise(torch, pipeline, settings, inputs, 1, None)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    boundary = pipeline.config.boundary_ratio
    recorder = StepRecorder(torch, device, None if boundary is None else
                            boundary * pipeline.scheduler.config.num_train_timesteps)
    profiler = torch.profiler.profile() if settings.get("engine_profile") else None
    if profiler:
        profiler.start()
    latents = denoise(torch, pipeline, settings, inputs, settings["steps"], recorder)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if profiler:
        profiler.stop()
        profiler.export_chrome_trace(str(out / f"trace-rank-{rank:04d}.json.gz"))
    _, _, latent_frames, latent_height, latent_width = inputs["initial_latents"].shape
    recorded = {name: settings.get(name) for name in
                ("model", "weights", "offload", "steps", "guidance_scale", "guidance_scale_2", "seed", "ulysses", "ring")}
    recorded |= {"flow_shift": pipeline.scheduler.config.flow_shift, "boundary_ratio": boundary,
                 "size": f"{latent_width * 8}x{latent_height * 8}", "frames": (latent_frames - 1) * 4 + 1}
    write_record(out, rank, ranks, recorded, recorder, environment_of(torch, diffusers, device), digest(latents))
    if rank == 0:
        save_file({"latents": latents.float().cpu().contiguous()}, out / "result.safetensors")
        if options.video:
            decode(torch, diffusers, settings, latents, device, options.video, options.fps)
    if ranks > 1:
        torch.distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
