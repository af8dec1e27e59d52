"""Training: ``transformers.Trainer`` with the span objective, global denominators and metrics per kind."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils.logging import disable_progress_bar

from spanwise.config import TrainingConfig
from spanwise.data.batching import padding_share, plan_batches
from spanwise.data.curriculum import complexity
from spanwise.data.tokenize import OverlongReport, TokenizedTrajectory, tokenize_all
from spanwise.errors import ModelError, TrainingError
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import Teacher
from spanwise.training.batches import PlannedBatches, Rows, collate
from spanwise.training.models import count_parameters, logits_at
from spanwise.training.objective import Counts, build_objective, count, span_loss
from spanwise.training.optimizers import create_optimizer
from spanwise.types import SUPERVISED_KINDS, SpanKind, Trajectory

#: Written last into a finished model folder: where it is, training is done.
RESULT_FILE = "training.json"

#: Called with optimizer steps done, of all, and the last logged loss.
Progress = Callable[[int, int, float | None], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training run did.

    Attributes:
        steps: Optimizer steps.
        tokens: Tokens read, padding left out.
        padding: Share of the positions that held no token.
        parameters: Of the model.
        overlong: What became of trajectories over the length limit.
    """

    steps: int
    tokens: int
    padding: float
    parameters: int
    overlong: OverlongReport


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    trajectories: Sequence[Trajectory],
    config: TrainingConfig,
    output: Path,
    seed: int,
    teacher: PreTrainedModel | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains a model and leaves it, with its tokenizer, as a Hugging Face folder at ``output``.

    An interrupted run goes on from its last checkpoint; a finished one is returned as it is.

    Args:
        model: Where training starts; changed in place.
        tokenizer: Of the model, and of the teacher.
        trajectories: What is learnt from.
        config: How.
        output: The folder; ``metrics.jsonl`` in it has a line every ``log_every`` steps.
        seed: Of the shuffling.
        teacher: Who is distilled; needed by every objective but imitation.
        progress: Told after each optimizer step.

    Raises:
        ModelError: The objective needs a teacher and there is none, or the models do not fit the tokenizer.
        TokenizationError: Nothing would be supervised.
        TrainingError: The loss is not finite.
    """
    if (output / RESULT_FILE).exists():
        found = json.loads((output / RESULT_FILE).read_text(encoding="utf-8"))
        return TrainingResult(**{**found, "overlong": OverlongReport(**found["overlong"])})
    objective = build_objective(config.objective)
    vocabulary = len(tokenizer)
    for name, one in (("model", model), ("teacher", teacher)):
        if one is not None and one.config.vocab_size < vocabulary:
            raise ModelError(f"the {name} has {one.config.vocab_size} embeddings, the tokenizer {vocabulary} tokens")
    if objective.needs_teacher and teacher is None:
        raise ModelError(f"the objective {config.objective.method!r} needs a teacher, and none was given")
    rows, overlong = tokenize_all(trajectories, tokenizer, config.max_length, config.overlong)
    use_bf16 = config.precision == "bf16" or (config.precision == "auto" and computes_in_bf16())
    online = OnlineTeacher(teacher, vocabulary) if teacher is not None and objective.needs_teacher else None
    plan = _plan(rows, config, seed, online)
    steps = math.ceil(len(plan) / config.accumulation)

    checkpoints = output / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=steps,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=round(config.warmup * steps),
        max_grad_norm=config.max_grad_norm,
        bf16=use_bf16,
        use_cpu=not torch.cuda.is_available(),
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        log_level="error",
        accelerator_config={"dispatch_batches": False, "even_batches": False},
    )
    trainer = SpanTrainer(model, arguments, config, rows, plan, vocabulary, online, output / "metrics.jsonl", progress)
    checkpoint = _last_checkpoint(checkpoints)
    _cut_metrics(output / "metrics.jsonl", after=_step_of(checkpoint))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    result = TrainingResult(
        steps=steps,
        tokens=sum(len(rows[index]) for batch in plan for index in batch),
        padding=round(padding_share([len(row) for row in rows], plan), 4),
        parameters=count_parameters(model),
        overlong=overlong,
    )
    if trainer.is_world_process_zero():
        model.save_pretrained(output)
        tokenizer.save_pretrained(output)
        partial = output / f".{RESULT_FILE}.partial"
        partial.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
        partial.replace(output / RESULT_FILE)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return result


class SpanTrainer(Trainer):
    """The span objective over planned batches; sums are divided once, by counts over the whole optimizer step."""

    def __init__(
        self,
        model: PreTrainedModel,
        arguments: TrainingArguments,
        config: TrainingConfig,
        rows: Sequence[TokenizedTrajectory],
        plan: Sequence[list[int]],
        vocabulary: int,
        teacher: Teacher | None,
        metrics: Path,
        progress: Progress | None,
    ) -> None:
        """A trainer that will follow ``plan`` batch by batch."""
        super().__init__(model=model, args=arguments, data_collator=collate, callbacks=[_Report(progress)])
        self.remove_callback(PrinterCallback)
        disable_progress_bar()
        self.loss_is_scaled_for_ga = True
        self.settings = config
        self.objective = build_objective(config.objective)
        self.rows, self.plan, self.vocabulary, self.teacher = rows, plan, vocabulary, teacher
        self.metrics_path = metrics
        self._sums: dict[str, float] = {}

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """The recipe's optimizer."""
        if self.optimizer is None:
            config = self.settings
            self.optimizer = create_optimizer(
                cast(nn.Module, self.model if model is None else model),
                config.optimizer,
                config.learning_rate,
                config.weight_decay,
            )
        return self.optimizer

    def get_train_dataloader(self) -> DataLoader:
        """The planned batches."""
        loader = DataLoader(Rows(self.rows), batch_sampler=PlannedBatches(self.plan), collate_fn=collate)
        return self.accelerator.prepare(loader)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list, Any]:
        """The batches of one optimizer step, and what they hold in all, over all processes."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        tokens, spans = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for batch in samples:
            chosen = self._supervised(batch)
            part = count(self._kinds(batch)[chosen].cpu(), batch["span_length"][chosen].cpu())
            tokens, spans = tokens + part.tokens, spans + part.spans
        both = torch.stack([tokens, spans]).to(device)
        if self.accelerator.num_processes > 1:
            both = self.accelerator.reduce(both, reduction="sum")
        return samples, Counts(both[0], both[1])

    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """This batch's share of the step's loss; ``num_items_in_batch`` holds the step's :class:`Counts`."""
        chosen = self._supervised(inputs)
        kind, targets = self._kinds(inputs)[chosen], inputs["target_ids"][chosen]
        signal = None
        if self.teacher is not None:
            with self.accelerator.autocast():
                signal = self.teacher.signal(inputs["input_ids"], chosen)
        logits = logits_at(model, inputs["input_ids"], chosen, self.vocabulary)
        loss, losses = span_loss(
            self.objective, logits, targets, kind, inputs["span_length"][chosen], num_items_in_batch, signal
        )
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                f"the loss is not finite at step {self.state.global_step + 1}: lower training.learning_rate "
                f"(now {self.settings.learning_rate}) or raise training.warmup"
            )
        self._note(loss, losses, logits, targets, kind, signal)
        # Processes average their gradients; the denominators are global already, so the sum is what is wanted.
        return loss * self.accelerator.num_processes

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the means per kind since the last line, and keeps the line in ``metrics.jsonl``."""
        if "loss" not in logs or not self._sums:
            super().log(logs, start_time)
            return
        sums, self._sums = self._sums, {}
        line: dict[str, float] = {"step": self.state.global_step, "learning_rate": logs["learning_rate"]}
        line["loss"] = sums["loss"] / max(1, round(sums["batches"] / self.settings.accumulation))
        for one in SUPERVISED_KINDS:
            name = one.name.lower()
            tokens = sums.get(f"{name}_tokens", 0.0)
            for quantity in ("loss", "accuracy", "kl", "entropy", "agreement"):
                if tokens and f"{name}_{quantity}" in sums:
                    line[f"{name}_{quantity}"] = sums[f"{name}_{quantity}"] / tokens
        super().log({**logs, **line}, start_time)
        if self.is_world_process_zero():
            self.metrics_path.parent.mkdir(parents=True, exist_ok=True)
            with self.metrics_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({key: round(value, 6) for key, value in line.items()}) + "\n")

    def _supervised(self, batch: dict[str, Tensor]) -> Tensor:
        """Which positions are trained on, bool [B, T]: those an agent wrote; for a language model all tokens."""
        if self.settings.objective.method == "language_model":
            return batch["valid"]
        return batch["kind"] != SpanKind.CONTEXT

    def _kinds(self, batch: dict[str, Tensor]) -> Tensor:
        """Kind of each position as the objective sees it: a language model counts context among what it says."""
        if self.settings.objective.method == "language_model":
            return batch["kind"].clamp(min=int(SpanKind.REASON))
        return batch["kind"]

    @torch.no_grad()
    def _note(self, loss: Tensor, losses: Tensor, logits: Tensor, targets: Tensor, kind: Tensor, signal: Any) -> None:
        sums = self._sums
        sums["loss"] = sums.get("loss", 0.0) + float(loss)
        sums["batches"] = sums.get("batches", 0.0) + 1
        guess = logits.argmax(-1)
        values = {"loss": losses, "accuracy": guess == targets}
        if signal is not None:
            student = torch.log_softmax(logits.float(), -1)
            values["kl"] = (signal.log_probs.exp() * (signal.log_probs - student)).sum(-1)
            values["entropy"] = signal.entropy
            values["agreement"] = guess == signal.log_probs.argmax(-1)
        for one in SUPERVISED_KINDS:
            chosen = kind == one
            name = one.name.lower()
            sums[f"{name}_tokens"] = sums.get(f"{name}_tokens", 0.0) + float(chosen.sum())
            for quantity, value in values.items():
                key = f"{name}_{quantity}"
                sums[key] = sums.get(key, 0.0) + float(value[chosen].float().sum())


class _Report(TrainerCallback):
    """Tells whoever watches how far training is."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress
        self.loss: float | None = None

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        self.loss = (logs or {}).get("loss", self.loss)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == state.max_steps:  # however short the run, its end is in the log
            control.should_log = True
        if self.progress:
            self.progress(state.global_step, state.max_steps, self.loss)


def computes_in_bf16() -> bool:
    """Whether the machine multiplies matrices in bf16 faster than in fp32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _plan(
    rows: Sequence[TokenizedTrajectory], config: TrainingConfig, seed: int, teacher: OnlineTeacher | None
) -> list[list[int]]:
    """All batches of the run, each optimizer step's worth complete."""
    wanted = None if config.max_steps is None else config.max_steps * config.accumulation
    scores = None
    if config.curriculum.pacing != "none":
        entropy = None if teacher is None else [_entropy(row, teacher) for row in rows]
        scores = complexity(rows, config.curriculum, entropy)
    lengths = [len(row) for row in rows]
    pacing = config.curriculum.pacing
    return plan_batches(lengths, config.batch_tokens, wanted, config.epochs, seed, pacing, scores)


def _entropy(row: TokenizedTrajectory, teacher: OnlineTeacher) -> float:
    """The teacher's entropy summed over a row's supervised positions, nats."""
    batch = collate([row])
    device = next(teacher.model.parameters()).device
    chosen = (batch["kind"] != SpanKind.CONTEXT).to(device)
    return float(teacher.signal(batch["input_ids"].to(device), chosen).entropy.sum())


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole: ``trainer_state.json`` is its last file."""
    found = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").exists()]
    return max(found, key=_step_of, default=None)


def _step_of(checkpoint: Path | None) -> int:
    return 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])


def _cut_metrics(path: Path, after: int) -> None:
    """Drops the lines that a resumed run will write again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= after]
        path.write_text("".join(kept), encoding="utf-8")
