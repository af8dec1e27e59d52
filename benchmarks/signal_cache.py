"""Size, truth and speed of cached teacher signals, on the trajectories of a run.

    python benchmarks/signal_cache.py RUN [--rows 200] [--student NAME]

RUN is a run directory with a teacher, its trajectories and a trained student. Prints two Markdown tables.

1. Formats: bytes per supervised token on disk, and mean and largest KL(full || stored), in nats; where a format keeps
   the mass that it leaves out, that mass is spread evenly over the tokens that it does not name. Beside the adaptive
   signals of spanwise: the 64 likeliest tokens in fp16 and int32, renormalised (as distillation trainers that store
   logits do), and the adaptive ones as an Arrow file, with and without zstd (if pyarrow is installed).
2. Speed: supervised tokens a second that are written (the teacher's passes left out, and with them) and read (random
   batches), and what share of a training step reading is. Medians over the batches.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import platform
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spanwise.config import SignalConfig
from spanwise.data.batching import plan_batches
from spanwise.data.render import make_rendering
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_all
from spanwise.run_content import KEPT, learnt_from, run_tokenizer, teacher_folder
from spanwise.run_directory import read_recipe
from spanwise.teacher.cache import CachedTeacher, Identity, join_rows, row_of, write_signals
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import DenseSignal, SparseSignal
from spanwise.teacher.store import ShardWriter
from spanwise.training.attention import fast_attention
from spanwise.training.batches import collate, model_inputs, row_key
from spanwise.training.chunked_loss import chunked_span_loss
from spanwise.training.models import load_model
from spanwise.training.objective import SpanObjective, count
from spanwise.training.optimizers import create_optimizer
from spanwise.training.projection import hidden_at, output_head
from spanwise.types import SpanKind

Rows = dict[bytes, dict[str, np.ndarray]]


def reconstructed(stored: SparseSignal, vocabulary: int) -> torch.Tensor:
    """Log-probabilities of all tokens, [N, V], the left-out mass spread evenly over those that are not named."""
    recorded = stored.log_probs > -torch.inf
    others = (vocabulary - recorded.sum(-1)).clamp(min=1).log()
    whole = (stored.tail_log_mass - others)[:, None].repeat(1, vocabulary)
    return whole.scatter(-1, stored.ids, torch.where(recorded, stored.log_probs, stored.log_probs[:, :1]))


def kl(full: torch.Tensor, stored: torch.Tensor) -> torch.Tensor:
    return (full.exp() * (full - stored.clamp(min=-60.0))).sum(-1)


def arrow_size(rows: Rows, compression: str | None) -> int:
    """Bytes of the rows as one Arrow file of lists."""
    import pyarrow as pa

    def lists(name: str) -> Any:
        values = [row[name] for row in rows.values()]
        counts = np.concatenate([row["counts"] for row in rows.values()])
        return pa.ListArray.from_arrays(np.cumsum([0, *counts]).astype("i4"), np.concatenate(values))

    flat = {name: np.concatenate([row[name] for row in rows.values()]) for name in ("tail_log_mass", "entropy")}
    table = pa.table({**flat, "ids": lists("ids"), "log_probs": lists("log_probs")})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().size


def formats(full: dict[bytes, DenseSignal], vocabulary: int) -> None:
    positions = sum(len(one.log_probs) for one in full.values())
    print("\n| format | bytes per token | recorded tokens | mean KL, nats | largest KL |")
    print("| --- | --: | --: | --: | --: |")

    def line(name: str, size: float, entries: float, apart: list[torch.Tensor]) -> None:
        apart_N = torch.cat(apart)
        print(f"| {name} | {size:.1f} | {entries:.2f} | {apart_N.mean():.1e} | {apart_N.max():.1e} |", flush=True)

    apart = []
    for dense in full.values():
        top, ids = dense.log_probs.topk(min(64, vocabulary), dim=-1)
        top = top.half().float().log_softmax(-1)
        apart.append(kl(dense.log_probs, torch.full_like(dense.log_probs, -60.0).scatter(-1, ids, top)))
    line("64 likeliest, fp16 + int32, renormalised", 64 * 6, 64, apart)
    for mass, most in ((0.99, 64), (0.999, 16), (0.999, 64), (0.9999, 64)):
        identity = Identity(None, "", vocabulary, None, SignalConfig(mass=mass, most=most))
        rows = {key: row_of(one, torch.arange(len(one.log_probs)), key, identity) for key, one in full.items()}
        with tempfile.TemporaryDirectory() as folder:
            size = on_disk(rows, Path(folder))
        apart = [kl(full[key].log_probs, reconstructed(join_rows([row]), vocabulary)) for key, row in rows.items()]
        entries = sum(len(row["ids"]) for row in rows.values()) / positions
        line(f"spanwise, mass {mass}, at most {most}", size / positions, entries, apart)
        if (mass, most) == (0.999, 64) and importlib.util.find_spec("pyarrow"):
            for compression in (None, "zstd"):
                line(f"the same, Arrow, {compression}", arrow_size(rows, compression) / positions, entries, apart)


def on_disk(rows: Rows, folder: Path) -> int:
    writer = ShardWriter(folder)
    for key, row in rows.items():
        writer.add(key, row)
    writer.flush()
    return sum(one.stat().st_size for one in folder.iterdir())


def speed(rows: list[TokenizedTrajectory], teacher: OnlineTeacher, student_folder: Path, budget: int) -> None:
    vocabulary = teacher.head.vocabulary
    identity = Identity(None, "", vocabulary, None, SignalConfig())
    positions = sum(row.supervised for row in rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        write_signals(folder, identity, teacher, rows, packed=True)
        with_teacher = time.perf_counter() - began
        cached = CachedTeacher(folder)
        stored = {key: cached.store.row(key) for key in map(row_key, rows)}
        with tempfile.TemporaryDirectory() as other:
            began = time.perf_counter()
            on_disk(stored, Path(other))
            alone = time.perf_counter() - began
        student = load_model(student_folder)
        optimizer = create_optimizer(student, "muon", 1e-3, 0.1)
        reading, stepping = [], []
        with fast_attention(student):
            plan = plan_batches([len(row) for row in rows], budget, 30, 1.0, 0, packed=True)
            for batch in ([rows[index] for index in one] for one in plan):
                tensors = collate(batch, packed=True)
                chosen = tensors["kind"] != SpanKind.CONTEXT
                began = time.perf_counter()
                signal = cached.signal(tensors, chosen)
                reading.append((time.perf_counter() - began, int(chosen.sum())))
                began = time.perf_counter()
                kind, length = tensors["kind"][chosen], tensors["span_length"][chosen]
                with torch.autocast("cpu", torch.bfloat16):
                    hidden = hidden_at(student, model_inputs(tensors), chosen)
                    loss = chunked_span_loss(
                        SpanObjective(),
                        output_head(student, vocabulary),
                        hidden,
                        tensors["target_ids"][chosen],
                        kind,
                        length,
                        count(kind, length),
                        signal,
                    )
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                stepping.append(time.perf_counter() - began)
    share = statistics.median(read / (read + step) for (read, _), step in zip(reading[2:], stepping[2:], strict=True))
    read_rate = statistics.median(tokens / seconds for seconds, tokens in reading[2:])
    print("\n| | supervised tokens/s |\n| --- | --: |")
    print(f"| write, with the teacher's passes | {positions / with_teacher:,.0f} |")
    print(f"| write, without them | {positions / alone:,.0f} |")
    print(f"| read | {read_rate:,.0f} |")
    print(f"\nreading is {share:.1%} of a training step of the student ({budget} tokens)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run directory with a teacher, trajectories and a student")
    parser.add_argument("--rows", type=int, default=200, help="trajectories (default: %(default)s)")
    parser.add_argument("--student", default="sad", help="student whose steps are timed (default: %(default)s)")
    options = parser.parse_args()
    recipe = read_recipe(options.run)
    tokenizer = run_tokenizer(options.run)
    trajectories = learnt_from(recipe, options.run, KEPT)
    chosen = random.Random(0).sample(trajectories, min(options.rows, len(trajectories)))
    settings = recipe.students.methods[options.student].training
    rendering = make_rendering(recipe.environment.rendering, tokenizer)
    rows, _ = tokenize_all(chosen, tokenizer, settings.max_length, settings.overlong, rendering)
    teacher = OnlineTeacher(load_model(teacher_folder(recipe, options.run)), len(tokenizer))
    positions = sum(row.supervised for row in rows)
    print(
        f"{datetime.date.today()}, {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}; "
        f"{options.run.name}: {len(rows)} trajectories, {positions:,} supervised tokens, vocabulary {len(tokenizer)}"
    )
    full: dict[bytes, DenseSignal] = {}
    with torch.no_grad(), fast_attention(teacher.model):
        for start in range(0, len(rows), 8):
            group = rows[start : start + 8]
            tensors = collate(group, packed=True)
            signal = teacher.signal(tensors, tensors["kind"] != SpanKind.CONTEXT)
            places = torch.arange(len(signal.hidden)).split([row.supervised for row in group])
            full |= {row_key(row): signal.at(place) for row, place in zip(group, places, strict=True)}
    formats(full, len(tokenizer))
    del full
    with fast_attention(teacher.model), torch.autocast("cpu", torch.bfloat16):
        speed(rows, teacher, options.run / "students" / options.student, settings.batch_tokens)


if __name__ == "__main__":
    main()
