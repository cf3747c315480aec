#!/usr/bin/env python3
"""tools/engines: what they say and leave. Without PyTorch and diffusers the runner's part is skipped (exit code 77)."""

import hashlib
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / "tools/engines"
REFERENCE = ROOT / "tests/reference"
HAS_DIFFUSERS = all(importlib.util.find_spec(name) for name in ("torch", "diffusers", "transformers", "safetensors"))


def run(tool, *arguments):
    return subprocess.run([sys.executable, TOOLS / tool, *map(str, arguments)], capture_output=True, text=True, check=False)


class Flags(unittest.TestCase):
    def test_flags_are_read_without_running_the_wheel(self):
        source = """
import torch_that_is_not_there
class Config:
    @staticmethod
    def add_cli_args(parser, prefix: str = ""):
        prefix_with_dot = f"{prefix}." if prefix else ""
        parser.add_argument(f"--{prefix_with_dot}flow-shift", type=float, default=Config.flow_shift)
        parser.add_argument("--dit-cpu-offload", action=StoreBoolean, help="x")
    def inner(parser, prefix: str = "vae-config"):
        add_argument(f"--{prefix}.{other}", type=int)
        add_argument("--seed", type=int, nargs="+")
        parser.add_argument("--mode", choices=["a", "b"])
"""
        with tempfile.TemporaryDirectory() as folder:
            wheel = pathlib.Path(folder) / "sglang-9.9.9-py3-none-any.whl"
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr("sglang/multimodal_gen/configs/base.py", source)
                archive.writestr("sglang/multimodal_gen/runtime/server_args.py", "p.add_argument('--model-path', type=str)")
                archive.writestr("sglang/multimodal_gen/runtime/utils/perf.py",
                                 "os.environ.get('SGLANG_DIFFUSION_SYNC_STAGE_PROFILING')")
                archive.writestr("sglang/srt/other.py", "p.add_argument('--not-of-generate')")
            out = pathlib.Path(folder) / "flags.json"
            result = run("sglang_flags.py", wheel, "-o", out)
            self.assertEqual(result.returncode, 0, result.stderr)
            table = json.loads(out.read_text())["9.9.9"]
            self.assertEqual(table["sha256"], hashlib.sha256(wheel.read_bytes()).hexdigest())
        self.assertEqual(table["variables"], ["SGLANG_DIFFUSION_SYNC_STAGE_PROFILING"])
        self.assertEqual(table["flags"], {"--dit-cpu-offload": {"action": "StoreBoolean"}, "--flow-shift": {"type": "float"},
                                          "--mode": {"choices": ["a", "b"]}, "--model-path": {"type": "str"},
                                          "--seed": {"nargs": "+", "type": "int"}})


def make_tiny_pipeline(directory):
    """The tiny model with a tokenizer, a text encoder and a VAE of its size, all of random weights."""
    import diffusers
    import sentencepiece
    import torch
    import transformers
    tiny = REFERENCE / "tiny-wan2.2-t2v"
    shutil.copytree(tiny, directory)
    text_dim = json.loads((tiny / "transformer/config.json").read_text())["text_dim"]
    pieces = directory / "spiece.model"
    with pieces.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a cat sits on a mat", "the dog runs", "blurry, low quality"] * 20), model_writer=file, vocab_size=40,
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False, minloglevel=2)
    transformers.T5TokenizerFast(vocab_file=str(pieces), extra_ids=0).save_pretrained(directory / "tokenizer")
    torch.manual_seed(0)
    encoder = transformers.UMT5Config(vocab_size=64, d_model=text_dim, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    transformers.UMT5EncoderModel(encoder).save_pretrained(directory / "text_encoder")
    diffusers.AutoencoderKLWan(base_dim=8, z_dim=16, dim_mult=[1, 2, 2, 2], num_res_blocks=1).save_pretrained(directory / "vae")


@unittest.skipUnless(HAS_DIFFUSERS, "needs torch, diffusers, transformers, safetensors")
class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name)
        self.tiny = ("--model", REFERENCE / "tiny-wan2.2-t2v", "--inputs", REFERENCE / "trajectory-shift12.safetensors",
                     "--steps", 27, "--flow-shift", 12, "--guidance-scale", 4, "--guidance-scale-2", 3, "--backend", "cpu",
                     "--out", self.out)

    def test_the_reference_trajectory_comes_out_with_a_record_of_each_step(self):
        from safetensors.torch import load_file
        result = run("diffusers_run.py", *self.tiny, "--no-warm-up", "--profile")
        self.assertEqual(result.returncode, 0, result.stderr)
        latents = load_file(self.out / "result.safetensors")["latents"]
        right = load_file(REFERENCE / "trajectory-shift12.safetensors")["latents"][-1]
        self.assertLess(float((latents - right).norm() / right.norm()), 1e-5)
        record = json.loads((self.out / "steps-rank-0000.json").read_text())
        self.assertEqual([step["expert"] for step in record["steps"]], [1] * 18 + [2] * 9)
        self.assertEqual([step["step"] for step in record["steps"]], list(range(1, 28)))
        self.assertTrue(all(a["end_ns"] == b["start_ns"] for a, b in zip(record["steps"], record["steps"][1:])))
        self.assertEqual(record["settings"]["flow_shift"], 12)
        self.assertEqual(record["settings"]["size"], "128x64")
        self.assertTrue((self.out / "trace-rank-0000.json.gz").is_file())

    def latents_of(self, *arguments, launcher=()):
        from safetensors.torch import load_file
        command = [sys.executable, *launcher, TOOLS / "diffusers_run.py", *self.tiny, "--steps", 4, "--no-warm-up", *arguments]
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return load_file(self.out / "result.safetensors")["latents"]

    def test_two_ranks_over_gloo_and_layerwise_make_the_same_latents_on_the_cpu(self):
        one = self.latents_of()
        self.assertTrue(bool((one == self.latents_of("--offload", "layerwise")).all()))
        two_ranks = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)
        both = self.latents_of("--ulysses", 2, "--offload", "layerwise", launcher=two_ranks)
        self.assertLess(float((both - one).norm() / one.norm()), 1e-5)
        records = [json.loads((self.out / f"steps-rank-000{rank}.json").read_text()) for rank in range(2)]
        self.assertEqual([(record["rank"], record["ranks"], len(record["steps"])) for record in records], [(0, 2, 4), (1, 2, 4)])
        self.assertEqual(records[0]["latents_sha256"], records[1]["latents_sha256"])

    @unittest.skipUnless(importlib.util.find_spec("sentencepiece") and importlib.util.find_spec("imageio"), "needs sentencepiece, imageio")
    def test_a_prompt_becomes_embeddings_latents_and_a_video(self):
        model = self.out / "model"
        make_tiny_pipeline(model)
        inputs, video = self.out / "cat.safetensors", self.out / "cat.mp4"
        size = ("--size", "64x64", "--frames", 5, "--backend", "cpu", "--model", model)
        result = run("diffusers_run.py", *size, "--prompt", "a cat", "--negative-prompt", "blurry", "--save-embeddings", inputs)
        self.assertEqual(result.returncode, 0, result.stderr)
        from safetensors.torch import load_file
        self.assertEqual({name: list(tensor.shape) for name, tensor in load_file(inputs).items()},
                         {"initial_latents": [1, 16, 2, 8, 8], "prompt_embeds": [1, 512, 64], "negative_prompt_embeds": [1, 512, 64]})
        result = run("diffusers_run.py", *size, "--inputs", inputs, "--steps", 2, "--flow-shift", 12, "--out", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = run("diffusers_run.py", *size, "--decode", self.out / "result.safetensors", "--video", video)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("5 frames", result.stdout)
        self.assertGreater(video.stat().st_size, 1000)

    def test_bad_input_is_one_line_and_exit_code_2(self):
        result = run("diffusers_run.py", "--steps", 3)
        self.assertEqual((result.returncode, result.stderr), (
            2, "diffusers_run: no model is given; --model DIR, or a spec that has one, is needed\n"))
        result = run("diffusers_run.py", *self.tiny, "--ulysses", 2)
        self.assertEqual(result.returncode, 2)
        self.assertIn("there are 1 processes; ulysses 2 x ring 1 are needed", result.stderr)


if __name__ == "__main__":
    program = unittest.main(exit=False)
    sys.exit(0 if program.result.wasSuccessful() and HAS_DIFFUSERS else 77 if program.result.wasSuccessful() else 1)
