"""Training: ``transformers.Trainer`` with the span objective, global denominators and metrics per kind."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
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

from spanwise.config import ObjectiveConfig, TrainingConfig
from spanwise.data.batching import padding_share, plan_batches
from spanwise.data.curriculum import complexity
from spanwise.data.render import PLAIN, Rendering
from spanwise.data.tokenize import OverlongReport, tokenize_all
from spanwise.errors import ModelError, TrainingError
from spanwise.teacher.cache import CachedAttention, CachedTeacher
from spanwise.teacher.entropy import position_entropies, summed_entropies
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import Teacher
from spanwise.training.arguments import training_arguments
from spanwise.training.attention import fast_attention, packs
from spanwise.training.attention_target import AttentionTarget
from spanwise.training.batches import PlannedBatches, model_inputs
from spanwise.training.chunked_loss import chunked_span_loss, context_loss
from spanwise.training.compiling import compiled_layers
from spanwise.training.learnt_weights import LearntWeights, split_for_weights
from spanwise.training.metrics import KindMetrics
from spanwise.training.models import count_parameters
from spanwise.training.objective import Counts, SpanObjective, build_objective, count
from spanwise.training.optimizers import create_optimizer
from spanwise.training.projection import check_head, hidden_at, output_head
from spanwise.training.views import view_rows
from spanwise.types import SpanKind, Trajectory

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
    teacher: PreTrainedModel | Teacher | None = None,
    progress: Progress | None = None,
    rendering: Rendering = PLAIN,
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
        teacher: Who is distilled, or a cache of what it said; needed by every objective but imitation.
        progress: Told after each optimizer step.
        rendering: How a trajectory becomes text.

    Under a distributed launcher every process calls this with the same arguments; the first of them writes.

    Raises:
        ModelError: The objective needs a teacher and there is none, or not its attention; or the models do not fit the
            tokenizer.
        SignalError: The teacher is a cache that lacks a layer's attention, or a row; or it is damaged.
        TokenizationError: Nothing would be supervised.
        TrainingError: The loss is not finite.
    """
    if (output / RESULT_FILE).exists():
        found = json.loads((output / RESULT_FILE).read_text(encoding="utf-8"))
        return TrainingResult(**{**found, "overlong": OverlongReport(**found["overlong"])})
    vocabulary = len(tokenizer)
    for name, one in (("model", model), ("teacher", teacher)):
        if isinstance(one, PreTrainedModel) and one.config.vocab_size < vocabulary:
            raise ModelError(f"the {name} has {one.config.vocab_size} embeddings, the tokenizer {vocabulary} tokens")
    if config.objective.needs_teacher and teacher is None:
        raise ModelError(f"the objective {config.objective.method!r} needs a teacher, and none was given")
    attention = _attention_target(model, teacher, config.objective) if config.objective.attention > 0 else None
    learning, for_weights = config.objective.learnt_weights, list[Trajectory]()
    if learning is not None:
        for_weights, trajectories = split_for_weights(trajectories, learning.held_out, seed)
    rows, overlong = tokenize_all(trajectories, tokenizer, config.max_length, config.overlong, rendering)
    lengths = [len(row) for row in rows]

    checkpoints = output / "checkpoints"
    arguments = training_arguments(config, checkpoints, seed)
    model = cast(Any, model).to(arguments.device)
    models = [model]
    asked = teacher if config.objective.needs_teacher else None
    if isinstance(asked, PreTrainedModel):
        models.append(cast(Any, asked).to(arguments.device))
        asked = OnlineTeacher(models[-1], vocabulary)
    for one in models:
        check_head(one)
    packed = config.layout == "packed" or (config.layout == "auto" and all(map(packs, models)))
    entropies = None
    ordered, by_entropy = config.curriculum.pacing != "none", config.curriculum.gamma != 0
    if config.objective.needs_entropy or (ordered and by_entropy):
        assert asked is not None  # the configuration's own check
        autocast = torch.autocast(arguments.device.type, torch.bfloat16, enabled=arguments.bf16)
        with autocast, fast_attention(*models):
            entropies = position_entropies(asked, rows, config.batch_tokens, arguments.device, packed)
    summed = summed_entropies(entropies) if entropies is not None and by_entropy else None
    scores = complexity(rows, config.curriculum, summed) if ordered else None
    step_batches = config.accumulation * arguments.world_size
    plan = plan_batches(
        lengths,
        config.batch_tokens,
        None if config.max_steps is None else config.max_steps * step_batches,
        config.epochs,
        seed,
        config.curriculum.pacing,
        scores,
        multiple=arguments.world_size,
        until=config.curriculum.until,
        packed=packed,
    )
    arguments.max_steps = steps = math.ceil(len(plan) / step_batches)

    metrics = output / "metrics.jsonl"
    batches = PlannedBatches(rows, view_rows(rows, config.objective, seed, entropies), plan, packed)
    weights = None
    if learning is not None:
        others, _ = tokenize_all(for_weights, tokenizer, config.max_length, config.overlong, rendering)
        once = plan_batches([len(row) for row in others], config.batch_tokens, None, 1.0, seed, packed=packed)
        held_out = PlannedBatches(others, view_rows(others, ObjectiveConfig(), seed), once, packed)
        weights = LearntWeights(learning, build_objective(config.objective), held_out)
    trainer = SpanTrainer(model, arguments, config, batches, vocabulary, asked, metrics, progress, attention, weights)
    checkpoint = _last_checkpoint(checkpoints)
    if trainer.is_world_process_zero():
        _cut_metrics(metrics, after=_step_of(checkpoint))
    if config.activation_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    compiled = compiled_layers(*models) if config.compile else nullcontext()
    # Last, so that it finds the attention that is used.
    recorded = nullcontext() if attention is None else attention.recorder.installed()
    with fast_attention(*models), compiled, recorded:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    model.activation_checkpointing_disable()
    # Its forward is its own again, and whoever trains it next may wrap it anew.
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    vars(model).pop("_is_accelerate_prepared", None)
    result = TrainingResult(
        steps=steps,
        tokens=sum(lengths[index] for batch in plan for index in batch),
        padding=0.0 if packed else round(padding_share(lengths, plan), 4),
        parameters=count_parameters(model),
        overlong=overlong,
    )
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        model.save_pretrained(output)
        tokenizer.save_pretrained(output)
        partial = output / f".{RESULT_FILE}.partial"
        partial.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
        partial.replace(output / RESULT_FILE)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return result


def _attention_target(
    model: PreTrainedModel, teacher: PreTrainedModel | Teacher | None, objective: ObjectiveConfig
) -> AttentionTarget:
    if isinstance(teacher, CachedTeacher):
        return AttentionTarget(model, CachedAttention(teacher.store.folder), objective.attention_layers)
    if isinstance(teacher, PreTrainedModel):
        return AttentionTarget(model, teacher, objective.attention_layers)
    raise ModelError(
        "objective.attention needs a teacher that reads along, or a cache that has its attention (`spanwise cache`): "
        'give the model (teacher.source = "online"), or set objective.attention = 0.0'
    )


class SpanTrainer(Trainer):
    """The span objective over planned batches; sums are divided once, by counts over the whole optimizer step."""

    def __init__(
        self,
        model: PreTrainedModel,
        arguments: TrainingArguments,
        config: TrainingConfig,
        batches: PlannedBatches,
        vocabulary: int,
        teacher: Teacher | None,
        metrics: Path,
        progress: Progress | None,
        attention: AttentionTarget | None = None,
        weights: LearntWeights | None = None,
    ) -> None:
        """A trainer that will follow a plan batch by batch."""
        super().__init__(model=model, args=arguments, train_dataset=batches, callbacks=[_Report(progress)])
        self.remove_callback(PrinterCallback)
        disable_progress_bar()
        self.loss_is_scaled_for_ga = True
        self.learnt_weights = weights
        if weights is not None:
            if self.is_fsdp_enabled or self.is_deepspeed_enabled:
                raise TrainingError("objective.learnt_weights needs whole gradients, which FSDP and DeepSpeed divide")
            self.add_callback(weights)
        self.settings = config
        self.objective = build_objective(config.objective)
        self.vocabulary, self.teacher, self.attention = vocabulary, teacher, attention
        self.metrics_path = metrics
        self._metrics = KindMetrics(arguments.device)
        self._tokens, self._clock = 0, time.perf_counter()

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
        assert self.train_dataset is not None
        loader = DataLoader(
            self.train_dataset, collate_fn=lambda items: items[0], pin_memory=self.args.dataloader_pin_memory
        )
        return self.accelerator.prepare(loader)

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list, Any]:
        """The batches of one optimizer step, and what they hold in all, over all processes."""
        samples, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        self._tokens += sum(int(batch["valid"].sum()) for batch in samples)
        if self.learnt_weights is not None:
            objective = build_objective(self.settings.objective)
            self.learnt_weights.update(self.state.global_step, samples, objective, self._gradient)
            self.objective = self.learnt_weights.objective(objective)
        return samples, self._count(samples)

    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """This batch's share of the step's loss; ``num_items_in_batch`` holds the step's :class:`Counts`."""
        chosen, learnt = self._supervised(inputs), self._learnt(inputs)
        counts, context = cast(Counts, num_items_in_batch), self._left(self.settings.objective.context)
        kind, weight = self._kinds(inputs)[chosen], self._weights(inputs)[chosen]
        head = output_head(model, self.vocabulary)
        with nullcontext() if self.attention is None else self.attention.recorder.listening():
            hidden = hidden_at(model, model_inputs(inputs), learnt)
            with self.accelerator.autocast():
                signal = None if self.teacher is None else self.teacher.signal(inputs, chosen)
        with self.accelerator.autocast():
            loss = chunked_span_loss(
                self.objective,
                head,
                hidden[chosen[learnt]] if context else hidden,
                inputs["target_ids"][chosen],
                kind,
                inputs["span_length"][chosen],
                counts,
                signal,
                self._metrics,
                weight,
            )
            if context:
                others = learnt & ~chosen
                loss = loss + context * context_loss(head, hidden[others[learnt]], inputs["target_ids"][others], counts)
        if self.attention is not None:
            of_all = self.settings.objective.attention / torch.where(counts.supervised > 0, counts.supervised, 1.0)
            term, kl = self.attention.loss(inputs, chosen, weight * of_all.float())
            self._metrics.add_attention(kl, kind)
            loss = loss + term
        if not bool(torch.isfinite(loss)):
            raise TrainingError(
                f"the loss is not finite at step {self.state.global_step + 1}: lower training.learning_rate "
                f"(now {self.settings.learning_rate}) or raise training.warmup"
            )
        # Processes average their gradients; the denominators are global already, so the sum is what is wanted.
        return loss * self.accelerator.num_processes

    def _gradient(self, batches: Sequence[dict[str, Tensor]], objective: SpanObjective) -> list[Tensor]:
        """The gradient of an objective over some batches of each process, for each parameter that is trained."""
        counts = self._count(batches)
        model = cast(nn.Module, self.model)  # not as DistributedDataParallel wraps it, which waits for a backward pass
        model.train()
        head = output_head(model, self.vocabulary)
        parameters = [one for one in model.parameters() if one.requires_grad]
        totals = [torch.zeros_like(one, dtype=torch.float32) for one in parameters]
        # Dropout's choices here follow from the step, and training's own go on as if nothing had been drawn.
        with torch.random.fork_rng():
            torch.manual_seed(self.state.global_step)
            for batch in batches:
                inputs = self._prepare_inputs(cast(Any, batch))
                chosen = self._supervised(inputs)
                with self.accelerator.autocast():
                    loss = chunked_span_loss(
                        objective,
                        head,
                        hidden_at(model, model_inputs(inputs), chosen),
                        inputs["target_ids"][chosen],
                        self._kinds(inputs)[chosen],
                        inputs["span_length"][chosen],
                        counts,
                        None if self.teacher is None else self.teacher.signal(inputs, chosen),
                        weight=self._weights(inputs)[chosen],
                    )
                for total, part in zip(
                    totals, torch.autograd.grad(loss, parameters, materialize_grads=True), strict=True
                ):
                    total += part
        return [self._add_up(total) for total in totals]

    def _count(self, batches: Sequence[dict[str, Tensor]]) -> Counts:
        """What some batches of each process hold in all, of what has a part in the loss."""
        tokens, spans = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for batch in batches:
            chosen = self._learnt(batch)
            kind, length, weight = self._kinds(batch), batch["span_length"], self._weights(batch)
            part = count(*(one[chosen].cpu() for one in (kind, length, weight)))
            tokens, spans = tokens + part.tokens, spans + part.spans
        both = self._add_up(torch.stack([tokens, spans]).to(self.args.device))
        return Counts(both[0], both[1])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the means per kind since the last line, and keeps the line in ``metrics.jsonl``."""
        if "loss" in logs:
            now, tokens = time.perf_counter(), float(self._add_up(torch.tensor(self._tokens, device=self.args.device)))
            logs = {
                "step": self.state.global_step,
                "learning_rate": logs["learning_rate"],
                "loss": logs["loss"],
                "grad_norm": logs["grad_norm"],
                "tokens_per_second": tokens / (now - self._clock),
                **self._metrics.take(self._add_up),
            }
            if self.learnt_weights is not None:
                logs |= {"reason_weight": self.objective.reason.weight, "act_weight": self.objective.act.weight}
            self._tokens, self._clock = 0, now
            if self.is_world_process_zero():
                self.metrics_path.parent.mkdir(parents=True, exist_ok=True)
                with self.metrics_path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({key: round(value, 6) for key, value in logs.items()}) + "\n")
        super().log(logs, start_time)

    def _add_up(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        return cast(Tensor, self.accelerator.reduce(values, reduction="sum"))

    def _supervised(self, batch: dict[str, Tensor]) -> Tensor:
        """Which positions are trained on, bool [B, T]: those an agent wrote; for a language model all tokens."""
        if self.settings.objective.method == "language_model":
            return batch["valid"]
        return batch["kind"] != SpanKind.CONTEXT

    def _learnt(self, batch: dict[str, Tensor]) -> Tensor:
        """Which positions have a part in the loss of this step, bool [B, T]: context too while it has a weight."""
        return batch["valid"] if self._left(self.settings.objective.context) else self._supervised(batch)

    def _weights(self, batch: dict[str, Tensor]) -> Tensor:
        """How much each position counts in this step, [B, T]."""
        return 1 + self._left(batch["weight"] - 1) if self.settings.objective.fade else batch["weight"]

    def _left(self, value: Any) -> Any:
        """What is left in this step of a value that fades to 0."""
        fade = self.settings.objective.fade
        return value * max(0.0, 1 - self.state.global_step / (fade * self.state.max_steps)) if fade else value

    def _kinds(self, batch: dict[str, Tensor]) -> Tensor:
        """Kind of each position as the objective sees it: a language model counts context among what it says."""
        if self.settings.objective.method == "language_model":
            return batch["kind"].clamp(min=int(SpanKind.REASON))
        return batch["kind"]


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
