"""One denoising step of Wan2.2 A14B by SGLang's own transformer, for `compare`: SGLang's WanTransformer3DModel with its
attention backends, kernels and fusions, resident, bf16, random weights, called as SGLang's denoising stage calls it (two
forwards, cond and uncond, under autocast, with the request's state in which it keeps the text's keys and values)."""
import os
import socket
import statistics
import time
import types

import random_weights


def start(attention):
    """Makes this process SGLang's only rank. attention: as --attention-backend names it (fa, torch_sdpa, ...)."""
    from sglang.multimodal_gen.runtime import server_args
    from sglang.multimodal_gen.runtime.distributed import maybe_init_distributed_environment_and_model_parallel
    from sglang.multimodal_gen.runtime.layers.attention.selector import global_force_attn_backend
    from sglang.multimodal_gen.runtime.platforms import AttentionBackendEnum

    arguments = object.__new__(server_args.ServerArgs)  # the defaults; a model's folder is not needed here
    arguments.attention_backend = attention
    for name in ("num_gpus", "tp_size", "sp_degree", "ulysses_degree", "ring_degree", "kv_gather_degree"):
        setattr(arguments, name, 1)
    server_args.set_global_server_args(arguments)
    global_force_attn_backend(AttentionBackendEnum[attention.upper()])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in dict(RANK=0, LOCAL_RANK=0, WORLD_SIZE=1, MASTER_ADDR="127.0.0.1", MASTER_PORT=port).items():
        os.environ[name] = str(value)
    maybe_init_distributed_environment_and_model_parallel(tp_size=1, sp_size=1)


def make_model(layers, device):
    """The transformer as SGLang's loader leaves it: the checkpoint's weights are random here, everything else is done."""
    import torch
    from sglang.kernels.ops.diffusion import FUSED_LINEAR_GELU
    from sglang.multimodal_gen.configs.models.dits import WanVideoConfig
    from sglang.multimodal_gen.runtime.loader.utils import finalize_loaded_model, initialize_model
    from sglang.multimodal_gen.runtime.models.dits.wanvideo import WanTransformer3DModel
    from sglang.multimodal_gen.runtime.utils.precision import set_mixed_precision_policy

    set_mixed_precision_policy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    config = WanVideoConfig()
    config.update_model_arch({"num_layers": layers})
    model = initialize_model(WanTransformer3DModel, dict(config=config, hf_config={}), torch.bfloat16, torch.device(device))
    random_weights.fill(model)
    for module in model.modules():
        method = getattr(module, "quant_method", None)
        if hasattr(method, "process_weights_after_loading"):
            method.process_weights_after_loading(module)
    model.post_load_weights()
    finalize_loaded_model(model)
    FUSED_LINEAR_GELU.mount(model)  # what the default quality, "lossless", mounts
    return model


def compile_blocks(model):
    """--enable-torch-compile --regional-compile."""
    from sglang.multimodal_gen.runtime.utils.torch_compile import compile_matching_submodules, resolve_torch_compile_kwargs

    keywords, _ = resolve_torch_compile_kwargs("SGLANG_TORCH_COMPILE_MODE", default="max-autotune-no-cudagraphs", module=model)
    compile_matching_submodules(model, compile_kwargs=keywords)


class Loop:
    def __init__(self, model, size, frames, device):
        import torch

        width, height = (int(number) for number in size.split("x"))
        kind = dict(device=device, dtype=torch.bfloat16)
        self.model = model
        self.latents = torch.randn(1, 16, (frames - 1) // 4 + 1, height // 8, width // 8, **kind)
        self.prompts = [torch.randn(1, 512, 4096, **kind) for _ in range(2)]
        self.timestep = torch.full((1,), 900, device=device)
        self.request = types.SimpleNamespace(extra={}, enable_sequence_shard=False, enable_teacache=False, enable_spectrum=False,
                                             sampling_params=None)
        self.device = torch.device(device)
        self.done = 0

    def step(self):
        """Seconds of one step."""
        import torch
        from sglang.multimodal_gen.runtime.managers.forward_context import set_forward_context

        synchronize = torch.cuda.synchronize if self.device.type == "cuda" else lambda: None
        synchronize()
        since = time.monotonic()
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16):
            noise = []
            for prompt in self.prompts:
                with set_forward_context(current_timestep=self.done, attn_metadata=None, forward_batch=self.request):
                    noise.append(self.model(hidden_states=self.latents, encoder_hidden_states=prompt, timestep=self.timestep))
            self.result = noise[1] + 4 * (noise[0] - noise[1])
        synchronize()
        self.done += 1
        return time.monotonic() - since


def attention_error(model, device, tokens=1280, heads=40):
    """Largest difference of the model's self-attention from PyTorch's, in float32 on the same bf16 values; which ran."""
    import torch
    from sglang.multimodal_gen.runtime.managers.forward_context import set_forward_context

    layer = model.blocks[0].attn1
    q, k, v = (torch.randn(1, tokens, heads, 128, device=device, dtype=torch.bfloat16) for _ in range(3))
    with torch.no_grad(), set_forward_context(current_timestep=0, attn_metadata=None, forward_batch=None):
        made = layer(q, k, v)
    true = torch.nn.functional.scaled_dot_product_attention(*(part.float().transpose(1, 2) for part in (q, k, v))).transpose(1, 2)
    return (made.float() - true).abs().max().item(), type(layer.attn_impl).__name__


def measure(size, frames, seconds, power, attention="fa", compiled=False, layers=40, device="cuda", least=4):
    """A dictionary of what was measured. power: a context manager as compare's Power."""
    import sglang

    start(attention)
    model = make_model(layers, device)
    error, implementation = attention_error(model, device)
    if not error < 0.02:
        raise RuntimeError(f"{implementation} differs from PyTorch's attention by {error}")
    if compiled:
        compile_blocks(model)
    loop = Loop(model, size, frames, device)
    first = loop.step()
    once = loop.step()
    with power as sampled:
        steps = [loop.step() for _ in range(max(least, int(seconds / once)))]
    return dict(version=sglang.__version__, attention=attention, implementation=implementation, error=error, compiled=compiled,
                first=first, step=statistics.median(steps), steps=steps, power=sampled.text())
