"""Speed of a training step: precision, attention and compiled layers, for a model and rows of a given size.

    python benchmarks/training.py [--hidden 256 --layers 6 --heads 4 --length 900 --rows 9]

One optimizer step (forward, cross-entropy on the last half of each row's tokens, backward, Muon) on random tokens.
Prints a Markdown table: tokens per second of wall time and per second of processor time, the best of the repeats. On
a machine that is doing other work only the latter means something.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import platform
import time

import torch

from spanwise.config import ArchitectureConfig, TokenizerConfig
from spanwise.training.attention import fast_attention
from spanwise.training.compiling import compiled_layers
from spanwise.training.models import count_parameters, create_model, create_tokenizer
from spanwise.training.optimizers import create_optimizer
from spanwise.training.projection import logits_at


def measure(options: argparse.Namespace, bf16: bool, blocks: bool, compiled: bool) -> tuple[float, float, int]:
    """Tokens per second of wall time, per second of processor time, and parameters."""
    words = [f" w{number}" for number in range(options.vocabulary)]
    tokenizer = create_tokenizer(words, TokenizerConfig(vocab_size=options.vocabulary))
    architecture = ArchitectureConfig(
        hidden_size=options.hidden, intermediate_size=3 * options.hidden, layers=options.layers, heads=options.heads
    )
    model = create_model(architecture, tokenizer, seed=0)
    optimizer = create_optimizer(model, "muon", 1e-3, 0.1)
    shape = (options.rows, options.length)
    ids = torch.randint(len(tokenizer), shape, generator=torch.Generator().manual_seed(0))
    positions = torch.arange(options.length).expand(shape) >= options.length // 2
    wall, processor = [], []
    with contextlib.ExitStack() as ways:
        if blocks:
            ways.enter_context(fast_attention(model))
        if compiled:
            ways.enter_context(compiled_layers(model))
        for _ in range(options.repeats + 1):
            began, began_processor = time.perf_counter(), time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = logits_at(model, ids, positions, len(tokenizer)).float()
            torch.nn.functional.cross_entropy(logits, ids[positions]).backward()
            optimizer.step()
            optimizer.zero_grad()
            wall.append(time.perf_counter() - began)
            processor.append(time.process_time() - began_processor)
    tokens = options.rows * options.length
    return tokens / min(wall[1:]), tokens / min(processor[1:]), count_parameters(model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (
        ("hidden", 256),
        ("layers", 6),
        ("heads", 4),
        ("length", 900),
        ("rows", 9),
        ("vocabulary", 1024),
        ("repeats", 3),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    print(
        f"{datetime.date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    print("\n| precision | attention | layers | tokens/s | tokens/processor s | parameters |")
    print("|---|---|---|---|---|---|")
    for bf16, blocks, compiled in itertools.product((False, True), repeat=3):
        wall, processor, parameters = measure(options, bf16, blocks, compiled)
        names = ("bf16" if bf16 else "fp32", "blocks" if blocks else "torch", "compiled" if compiled else "plain")
        print(f"| {' | '.join(names)} | {wall:,.0f} | {processor:,.0f} | {parameters / 1e6:.1f}M |", flush=True)


if __name__ == "__main__":
    main()
