"""How the last projection and its divergence grow with supervised tokens and vocabulary: in chunks, and all at once.

    python benchmarks/projection.py [--hidden 576] [--repeats 3]

Forward KL from random hidden states [N, H] through a student's head, with gradients of the hidden states and of the
head, under bf16 autocast; from an online teacher (a head of its own) and from 8 recorded tokens. `all at once` is what
a script writes: two full sets of logits, their log-softmax, the divergence; it is left out where it would need more
than 16 GiB. Peak: what the step added to the resident memory; the head's own gradient, which any way needs, is
subtracted. Medians of the repeats, which take turns.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import platform
import statistics
import time
from collections.abc import Callable

import torch
from distillation_step import GIB, forget_peak, peak, processor, resident

from spanwise.teacher.signal import DeferredSignal, sparse_signal
from spanwise.training.chunked_loss import chunked_span_loss
from spanwise.training.objective import SpanObjective, count
from spanwise.training.projection import Head

CASES = [(512, 49152), (2048, 49152), (8192, 49152), (2048, 4096), (2048, 16384), (2048, 151_936)]


def contenders(tokens: int, vocabulary: int, hidden: int) -> tuple[dict[str, Callable[[], None]], int]:
    """What is measured, by name; and the bytes of the head's gradient."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(tokens, hidden, generator=generator).requires_grad_()
    module = torch.nn.Linear(hidden, vocabulary, bias=False)
    theirs = torch.nn.Linear(hidden, vocabulary, bias=False).requires_grad_(False)
    head, teacher = Head(module, (), vocabulary), Head(theirs, (), vocabulary)
    online = DeferredSignal(torch.randn(tokens, hidden, generator=generator) * 4, teacher)
    with torch.no_grad():
        parts = [sparse_signal(online.at(chunk), 8) for chunk in torch.arange(tokens).split(256)]
    names = ("ids", "log_probs", "tail_log_mass", "entropy")
    recorded = type(parts[0])(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
    targets, kind = torch.zeros(tokens, dtype=torch.int64), torch.ones(tokens, dtype=torch.int8)
    length = torch.ones(tokens, dtype=torch.int32)

    def in_chunks(signal: DeferredSignal | type(recorded)) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            objective, counts = SpanObjective(), count(kind, length)
            loss = chunked_span_loss(objective, head, states, targets, kind, length, counts, signal)
        loss.backward()

    def at_once() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                wanted = theirs(online.hidden)
            logits = module(states)
        wanted, found = wanted.float().log_softmax(-1), logits.float().log_softmax(-1)
        torch.nn.functional.kl_div(found, wanted, reduction="batchmean", log_target=True).backward()

    ways: dict[str, Callable[[], None]] = {
        "in chunks, recorded": lambda: in_chunks(recorded),
        "in chunks, online": lambda: in_chunks(online),
    }
    if 30 * tokens * vocabulary < 16 * GIB:
        ways["all at once, online"] = at_once

    def cleared(step: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            states.grad = module.weight.grad = None
            step()

        return run

    return {name: cleared(way) for name, way in ways.items()}, 4 * module.weight.numel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=576, help="channels of both models (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="(default: %(default)s)")
    options = parser.parse_args()
    print(
        f"{datetime.date.today()}, {processor()}, {platform.machine()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}; {options.hidden} channels\n"
    )
    print("| supervised tokens | vocabulary | way | s | peak, GiB |\n| --: | --: | --- | --: | --: |")
    for tokens, vocabulary in CASES:
        ways, gradient = contenders(tokens, vocabulary, options.hidden)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        peaks: dict[str, list[int]] = {name: [] for name in ways}
        for repeat in range(options.repeats + 1):
            for name, step in ways.items():
                gc.collect()
                forget_peak()
                before, began = resident(), time.perf_counter()
                step()
                if repeat:
                    seconds[name].append(time.perf_counter() - began)
                    peaks[name].append(peak() - before - gradient)
        for name in ways:
            figures = f"{statistics.median(seconds[name]):.2f} | {statistics.median(peaks[name]) / GIB:.2f}"
            print(f"| {tokens:,} | {vocabulary:,} | {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
