"""Speed and memory of one distillation step: spanwise against TRL's trainers and a plain transformers loop.

    python benchmarks/distillation_step.py --model DIR [--equal] [--contenders trl-gkd plain ...] [--json FILE]

A step is: the teacher's forward, the student's forward and backward, forward KL(teacher || student) averaged over the
supervised tokens, AdamW. All contenders have the same data, weights, learning rate and loss, fp32 student weights under
bf16 autocast, and neither gradient checkpointing nor clipping. The losses before the first step must agree to 2e-3, or
the exit code is 1: logits rounded to bf16 (trl-gkd, plain) add 1.2e-3 to the KL of fp32 logits (trl-distillation), all
else is within 2e-4.

- Models: the student is the Hugging Face folder `--model` (`spanwise models smollm2 DIR` makes one). The teacher is the
  student with every layer twice (241M; the second time with a twentieth of its output, to remain a language model),
  seeded noise on its weights, and logits three times as large, to be as sure as one that was trained on its task. Its
  weights are bf16, which spares the peers to cast them.
- Data: thoughts and commands of the expert in generated ALFWorld games. The lengths of rows spread evenly over
  `--shortest`..`--longest` (`--equal`: all the mean); the first 64 tokens are an unsupervised prompt, 35% of all are
  supervised, in spans.
- spanwise: rows packed, attention in blocks. `spanwise-cached` reads its signals from disk in every step; the teacher
  was asked before. Its loss is over the recorded tokens and the rest as one, so it is a little below the others.
- Processes: memory decides. Contenders that need 10 GiB and more do not fit side by side, so each runs alone in a
  process of its own: set up, one warm-up step, `--steps` timed steps. All take their turn `--repeats` times, each time
  in another order, so that what a machine does meanwhile meets all of them. Times are medians over all timed steps.
- Memory: `peak` is the most that the steps added to what was resident when the models were set up (activations,
  gradients, AdamW's moments); `total` is the most resident during the steps. Setting up is not counted.

Peers, in the fastest configuration found that still is what their users would write; `NAME/1` takes the rows one at a
time and accumulates their gradients (no padding, less memory), `NAME` takes all at once. Attention is torch's sdpa.

- `trl-gkd`: GKDTrainer, `lmbda=0`, `beta=0`. Both models' logits in full, at every position, prompts and padding too:
  accelerate widens them to fp32, then come the temperature, log-softmax and the divergence over all of it; the mask is
  applied last.
- `trl-distillation`: DistillationTrainer, `beta=0`, given its completions instead of generating them. The loss is in
  tiles, never the full logits; but without Triton it projects every position after the prompt, in fp32, and once more
  in the backward. It calls the models around accelerate's autocast, so that the student computes in fp32 whatever
  `bf16` says (`trl-distillation-as-is`); here its loss is put under autocast, like the others'.
- `plain`: what a script does. Full logits, fp32 log-softmax of the supervised positions only.

TRL's configurations checkpoint gradients by default; that is off here, which makes its trainers faster.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import importlib.metadata
import importlib.util
import itertools
import json
import os
import platform
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PROMPT, SHARE, ECHO, CERTAINTY, LEARNING_RATE = 64, 0.35, 0.05, 3.0, 1e-5
LAST_WORD = 49152
GIB = 2**30
TOLERANCE = 2e-3
RESULT = "RESULT "


@dataclasses.dataclass(frozen=True)
class Row:
    """Token ids, and which of them are to be learnt: ``supervised[t]`` is the prediction of ``ids[t]`` at ``t - 1``."""

    ids: list[int]
    supervised: list[bool]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What every contender is given."""

    student: PreTrainedModel
    teacher: PreTrainedModel
    rows: list[Row]


Step = Callable[[], float]
"""Makes one optimizer step on all rows; gives the loss before it, in nats per supervised token."""


# Contenders: each sets itself up and gives its step.


def plain(setting: Setting, rows_at_once: int) -> Step:
    import torch

    student, teacher = setting.student.train(), setting.teacher
    batches = [_tensors(rows) for rows in _divided(setting.rows, rows_at_once)]
    supervised = sum(sum(row.supervised) for row in setting.rows)
    optimizer = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True)

    def step() -> float:
        total = 0.0
        for batch in batches:
            inputs = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "use_cache": False}
            mask = batch["labels"][:, 1:] != -100
            with torch.autocast("cpu", torch.bfloat16):
                with torch.no_grad():
                    teacher_logits = teacher(**inputs).logits[:, :-1][mask]
                student_logits = student(**inputs).logits[:, :-1][mask]
            teacher_log_probs = torch.log_softmax(teacher_logits.float(), -1)
            student_log_probs = torch.log_softmax(student_logits.float(), -1)
            divergence = torch.nn.functional.kl_div(
                student_log_probs, teacher_log_probs, reduction="sum", log_target=True
            )
            loss = divergence / supervised
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.zero_grad()
        return total

    return step


def trl_gkd(setting: Setting, rows_at_once: int) -> Step:
    from trl.experimental.gkd import GKDConfig, GKDTrainer

    batches = [_tensors(rows) for rows in _divided(setting.rows, rows_at_once)]
    trainer = GKDTrainer(
        model=setting.student,
        teacher_model=setting.teacher,
        args=GKDConfig(**_trl_arguments(rows_at_once, len(batches)), lmbda=0.0, beta=0.0, temperature=1.0),
        train_dataset=_unused_dataset(),
        processing_class=_tokenizer(),
    )
    return _trainer_step(trainer, batches)


def trl_distillation(setting: Setting, rows_at_once: int, autocast: bool = True) -> Step:
    import torch
    from trl import DistillationConfig, DistillationTrainer

    class GivenCompletions(DistillationTrainer):
        """Trains on the completions that it is given, and under autocast; all else after generation is TRL's."""

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            return inputs

        def compute_loss_context_manager(self) -> Any:
            return torch.autocast("cpu", torch.bfloat16, enabled=autocast)

    batch = _tensors(setting.rows)
    supervised = batch["labels"][:, PROMPT:] != -100
    given = {
        "prompt_ids": batch["input_ids"][:, :PROMPT],
        "prompt_mask": batch["attention_mask"][:, :PROMPT],
        "completion_ids": batch["input_ids"][:, PROMPT:],
        "completion_mask": batch["attention_mask"][:, PROMPT:],
        "tool_mask": supervised.long(),
        "num_items_in_batch": supervised.sum(),
    }
    accumulated = len(setting.rows) // rows_at_once
    trainer = GivenCompletions(
        model=setting.student,
        teacher_model=setting.teacher,
        args=DistillationConfig(**_trl_arguments(rows_at_once, accumulated), beta=0.0, temperature=1.0),
        train_dataset=_unused_dataset(),
        processing_class=_tokenizer(),
    )
    return _trainer_step(trainer, [given] * accumulated)


def spanwise_online(setting: Setting, rows_at_once: int) -> Step:
    from spanwise.teacher.online import OnlineTeacher

    return _spanwise_step(setting, rows_at_once, OnlineTeacher(setting.teacher, LAST_WORD))


def spanwise_cached(setting: Setting, rows_at_once: int) -> Step:
    """The teacher is asked once, before the steps; they find it on disk."""
    import torch

    from spanwise.config import SignalConfig
    from spanwise.teacher.cache import CachedTeacher, Identity, write_signals
    from spanwise.teacher.online import OnlineTeacher

    folder = Path(tempfile.mkdtemp())
    identity = Identity("benchmark", "benchmark", LAST_WORD, "bf16", SignalConfig())
    with torch.autocast("cpu", torch.bfloat16):
        write_signals(folder, identity, OnlineTeacher(setting.teacher, LAST_WORD), list(map(_tokenized, setting.rows)))
    return _spanwise_step(dataclasses.replace(setting, teacher=None), rows_at_once, CachedTeacher(folder))


def _spanwise_step(setting: Setting, rows_at_once: int, teacher: Any) -> Step:
    from spanwise.config import ObjectiveConfig, TrainingConfig
    from spanwise.training.arguments import training_arguments
    from spanwise.training.attention import fast_attention
    from spanwise.training.batches import collate
    from spanwise.training.trainer import SpanTrainer

    config = TrainingConfig(
        objective=ObjectiveConfig(method="token_kd"),
        optimizer="adamw",
        learning_rate=LEARNING_RATE,
        weight_decay=0.0,
        schedule="constant",
        precision="bf16",
        accumulation=len(setting.rows) // rows_at_once,
    )
    batches = [collate([_tokenized(row) for row in rows], packed=True) for rows in _divided(setting.rows, rows_at_once)]
    folder = Path(tempfile.mkdtemp())
    arguments = training_arguments(config, folder, seed=0)
    trainer = SpanTrainer(
        setting.student, arguments, config, batches, LAST_WORD, teacher, folder / "metrics.jsonl", None
    )
    step = _trainer_step(trainer, batches)
    models = [one for one in (setting.student, setting.teacher) if one is not None]

    def with_fast_attention() -> float:
        with fast_attention(*models):
            return step()

    return with_fast_attention


def _tokenized(row: Row) -> Any:
    import numpy as np

    from spanwise.data.tokenize import TokenizedTrajectory

    ids = np.array(row.ids)
    kind = np.array(row.supervised[1:], dtype=np.int8)
    steps, decides = np.zeros(len(kind), dtype=np.int32), np.zeros(len(kind), dtype=np.bool_)
    return TokenizedTrajectory("row", ids[:-1], ids[1:], kind, steps, decides)


CONTENDERS: dict[str, Callable[[Setting, int], Step]] = {
    "trl-gkd": trl_gkd,
    "trl-distillation": trl_distillation,
    "trl-distillation-as-is": functools.partial(trl_distillation, autocast=False),
    "plain": plain,
    "spanwise-online": spanwise_online,
    "spanwise-cached": spanwise_cached,
}
DEFAULT = ["trl-gkd", "trl-gkd/1", "trl-distillation/1", "plain/1", "spanwise-online/2", "spanwise-cached/2"]


def _trainer_step(trainer: Any, batches: list[dict[str, torch.Tensor]]) -> Step:
    """What `Trainer.train` does for an optimizer step, without data loading, logging and callbacks."""
    trainer.create_optimizer()
    model, optimizer = trainer.accelerator.prepare(trainer.model, trainer.optimizer)

    def step() -> float:
        samples, items = trainer.get_batch_samples(iter(batches), len(batches), trainer.args.device)
        trainer.current_gradient_accumulation_steps = len(samples)
        loss = sum(trainer.training_step(model, dict(sample), items).item() for sample in samples)
        optimizer.step()
        model.zero_grad()
        return loss

    return step


def _trl_arguments(rows_at_once: int, accumulated: int) -> dict[str, Any]:
    return {
        "output_dir": tempfile.mkdtemp(),
        "per_device_train_batch_size": rows_at_once,
        "gradient_accumulation_steps": accumulated,
        "learning_rate": LEARNING_RATE,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,
        "bf16": True,
        "gradient_checkpointing": False,
        "use_cpu": True,
        "report_to": "none",
    }


def _unused_dataset() -> Any:
    """The trainers want one; the batches here are given to them directly."""
    from datasets import Dataset

    return Dataset.from_dict({"prompt": ["unused"]})


def _tokenizer() -> Any:
    """The trainers want one, for its padding and end tokens."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<end>": 0}, unk_token="<end>")),
        pad_token="<end>",
        eos_token="<end>",
        unk_token="<end>",
    )


def _tensors(rows: list[Row]) -> dict[str, torch.Tensor]:
    """Right-padded ``input_ids``, ``attention_mask`` and ``labels`` (unshifted, -100 where not supervised), [B, T]."""
    import torch

    longest = max(len(row.ids) for row in rows)
    missing = [longest - len(row.ids) for row in rows]
    pairs = list(zip(rows, missing, strict=True))
    labels = [
        [token if learnt else -100 for token, learnt in zip(row.ids, row.supervised, strict=True)] for row in rows
    ]
    return {
        "input_ids": torch.tensor([row.ids + [0] * short for row, short in pairs]),
        "attention_mask": torch.tensor([[1] * len(row.ids) + [0] * short for row, short in pairs]),
        "labels": torch.tensor([given + [-100] * short for given, short in zip(labels, missing, strict=True)]),
    }


def _divided(rows: list[Row], size: int) -> list[list[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


# Data and models.


def create_rows(folder: Path, count: int, shortest: int, longest: int, equal: bool, seed: int = 0) -> list[Row]:
    """The expert's words in generated ALFWorld games; some spans are left out, so that the share is right."""
    from spanwise.agents.experts import make_expert
    from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
    from spanwise.config import EnvironmentConfig, GeneratorConfig
    from spanwise.data.tokenize import tokenize_trajectory
    from spanwise.environments import make_task_set
    from spanwise.training.models import load_tokenizer

    environment = EnvironmentConfig(
        workers=0, generator=GeneratorConfig(seed=seed, train=3 * count, valid_seen=0, valid_unseen=0)
    )
    games = make_task_set(environment)
    episodes = [EpisodeSpec(task.task_id, task.task_type, seed) for task in games.tasks("train")]
    tokenizer = load_tokenizer(folder)
    played = rollout(make_expert(environment), games, episodes, RolloutSettings(workers=0))
    stories = [tokenize_trajectory(one, tokenizer) for one in sorted(played, key=lambda one: one.id)]
    ids = [int(token) for story in stories for token in story.target_ids]
    learnt = [bool(kind) for story in stories for kind in story.kind]

    generator = random.Random(seed)
    lengths = [shortest + (longest - shortest) * index // max(1, count - 1) for index in range(count)]
    lengths = [(shortest + longest) // 2] * count if equal else generator.sample(lengths, count)
    rows, start = [], 0
    for length in lengths:
        supervised = [False] * PROMPT + learnt[start + PROMPT : start + length]
        spans = [list(group) for taught, group in itertools.groupby(range(length), supervised.__getitem__) if taught]
        generator.shuffle(spans)
        surplus = sum(supervised) - round(SHARE * length)
        for place in itertools.islice(itertools.chain.from_iterable(spans), max(0, surplus)):
            supervised[place] = False
        rows.append(Row(ids[start : start + length], supervised))
        start += length
    return rows


def create_models(folder: Path, noise: float, attention: str) -> tuple[PreTrainedModel, PreTrainedModel]:
    """The student in fp32 and the teacher in bf16; see the top of this file."""
    import torch
    from transformers import AutoModelForCausalLM

    student = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention)
    config = type(student.config)(**student.config.to_dict())
    config.num_hidden_layers *= 2
    teacher = type(student)._from_config(config, dtype=torch.bfloat16, attn_implementation=attention)
    weights = student.state_dict()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in teacher.named_parameters():
            parts = name.split(".")
            layer = int(parts[2]) if "layers" in parts else 0
            if "layers" in parts:
                parts[2] = str(layer // 2)
            weight = weights[".".join(parts)]
            if weight.dim() == 2:
                weight = weight + noise * weight.std() * torch.randn(weight.shape, generator=generator)
            factor = ECHO if layer % 2 and parts[-2] in ("o_proj", "down_proj") else 1.0
            parameter.copy_(weight * (CERTAINTY if name == "model.norm.weight" else factor))
    return student, teacher.eval().requires_grad_(False)


# Measuring.


def run_contender(options: argparse.Namespace) -> None:
    """In a process of its own: sets the contender up, makes its steps, prints what they took."""
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    name, _, size = options.only.partition("/")
    rows = create_rows(options.model, options.rows, options.shortest, options.longest, options.equal)
    models = create_models(options.model, options.noise, options.attention)
    step = CONTENDERS[name](Setting(*models, rows), int(size or options.rows))
    Path("/proc/self/oom_score_adj").write_text("1000")  # whatever else runs here is not to die for this
    settled = resident()
    forget_peak()
    losses, seconds = [], []
    for _ in range(1 + options.steps):
        began = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - began)
    print(RESULT + json.dumps({"losses": losses, "seconds": seconds[1:], "settled": settled, "peak": peak()}))


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def forget_peak() -> None:
    """Starts the peak anew (Linux), so that loading the models does not count."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most bytes of this process that were in memory since `forget_peak`."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def start(name: str) -> dict[str, Any]:
    """The result of a contender's process, or why there is none."""
    command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    results = [line for line in process.stdout.splitlines() if line.startswith(RESULT)]
    if results:
        return json.loads(results[-1].removeprefix(RESULT))
    if process.returncode == -9:
        return {"error": "killed, probably for want of memory"}
    lines = process.stderr.strip().splitlines()
    return {"error": lines[-1] if lines else f"exit code {process.returncode}"}


def summarize(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    errors = [run["error"] for run in runs if "error" in run]
    if errors:
        return {"contender": name, "error": errors[0]}
    seconds = [second for run in runs for second in run["seconds"]]
    return {
        "contender": name,
        "loss": runs[0]["losses"][0],
        "losses": runs[0]["losses"],
        "seconds": statistics.median(seconds),
        "all_seconds": seconds,
        "peak_gib": max(run["peak"] - run["settled"] for run in runs) / GIB,
        "total_gib": max(run["peak"] for run in runs) / GIB,
    }


def table(results: list[dict[str, Any]]) -> str:
    gkd = [result["seconds"] for result in results if result["contender"].startswith("trl-gkd") and "loss" in result]
    base = min(gkd, default=None)
    lines = [
        "| contender | loss | s/step (min–max) | time / trl-gkd | peak above models, GiB | total peak, GiB |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        if "error" in result:
            lines.append(f"| {result['contender']} | {result['error']} | | | | |")
            continue
        times = f"{result['seconds']:.2f} ({min(result['all_seconds']):.2f}–{max(result['all_seconds']):.2f})"
        ratio = f"{result['seconds'] / base:.2f}" if base else ""
        memory = f"{result['peak_gib']:.2f} | {result['total_gib']:.2f}"
        lines.append(f"| {result['contender']} | {result['loss']:.4f} | {times} | {ratio} | {memory} |")
    return "\n".join(lines)


def processor() -> str:
    """The processor's name, where the system tells."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def describe(options: argparse.Namespace) -> dict[str, Any]:
    rows = create_rows(options.model, options.rows, options.shortest, options.longest, options.equal)
    packages = ("torch", "transformers", "trl", "accelerate", "spanwise")
    return {
        "date": str(datetime.date.today()),
        "processor": processor(),
        "threads": options.threads or int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
        "versions": {package: version(package) for package in packages},
        "model": options.model.name if options.model else "random weights in SmolLM2-135M's shape",
        "lengths": sorted(len(row.ids) for row in rows),
        "supervised": sum(sum(row.supervised) for row in rows),
        "n": options.repeats * options.steps,
        "load": round(os.getloadavg()[0], 1),  # more than a little, and the times mean nothing: OpenMP waits for all
    }


def heading(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in about["versions"].items())
    tokens = sum(about["lengths"])
    return (
        f"{about['date']}, {about['processor']}, {about['threads']} threads, {versions}; {about['model']}; "
        f"rows of {', '.join(map(str, about['lengths']))} tokens, {about['supervised']} of {tokens:,} supervised; "
        f"n = {about['n']} timed steps each; load average before: {about['load']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face folder of the student (a Llama)")
    parser.add_argument("--rows", type=int, default=6, help="rows of an optimizer step (default: %(default)s)")
    parser.add_argument(
        "--contenders",
        nargs="+",
        default=DEFAULT,
        metavar="NAME[/ROWS]",
        help=f"of {', '.join(CONTENDERS)}; /ROWS: so many at once (default: {' '.join(DEFAULT)})",
    )
    parser.add_argument("--shortest", type=int, default=256, help="tokens of the shortest row (default: %(default)s)")
    parser.add_argument("--longest", type=int, default=1024, help="tokens of the longest row (default: %(default)s)")
    parser.add_argument("--equal", action="store_true", help="all rows of the mean length")
    parser.add_argument("--noise", type=float, default=0.05, help="teacher's, in deviations (default: %(default)s)")
    parser.add_argument("--attention", default="sdpa", help="the peers' (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="processes of each contender (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=1, help="timed steps of a process (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="torch's threads (default: torch's own choice)")
    parser.add_argument("--json", type=Path, help="also append a JSON line for each contender to this file")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        return run_contender(options)
    contenders = options.contenders
    for contender in contenders:
        name, _, size = contender.partition("/")
        if name not in CONTENDERS:
            parser.error(f"--contenders: {name!r} is none of {', '.join(CONTENDERS)}")
        if size and (not size.isdecimal() or int(size) < 1 or options.rows % int(size)):
            parser.error(f"--contenders: {contender}: {size!r} does not divide the {options.rows} --rows")
    if options.shortest < 2 * PROMPT or options.longest < options.shortest:
        parser.error(f"--shortest must be {2 * PROMPT} or more (the prompt has {PROMPT}), --longest not less than it")
    if any(name.startswith("trl") for name in contenders) and not importlib.util.find_spec("trl"):
        parser.error(
            "TRL is not installed here: pip install 'trl==1.16.0' (into an environment of its own, it brings datasets),"
            " or name the --contenders that do without it"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the contender's process ends too
    about = describe(options)
    print(heading(about), flush=True)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for repeat in range(options.repeats):
        turn = repeat % len(contenders)
        for name in contenders[turn:] + contenders[:turn]:
            runs[name].append(start(name))
            print(f"round {repeat + 1}, {name}: {runs[name][-1]}", file=sys.stderr, flush=True)
    results = [summarize(name, runs[name]) for name in contenders]
    print("\n" + table(results))
    if options.json:
        with options.json.open("a") as file:
            file.writelines(json.dumps({**about, **result}) + "\n" for result in results)
    losses = [result["loss"] for result in results if "loss" in result]
    if not losses or len(losses) < len(results):
        sys.exit("\nA contender failed.")
    if max(losses) - min(losses) > TOLERANCE:
        sys.exit(f"\nThe losses differ by {max(losses) - min(losses):.4f}: the contenders did not do the same work.")


if __name__ == "__main__":
    main()
