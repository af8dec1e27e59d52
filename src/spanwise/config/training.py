"""Tables of what is minimised, and how."""

from __future__ import annotations

from functools import partial
from operator import eq
from typing import Literal, Self

from pydantic import Field, model_validator

from spanwise.config.environment import CollectConfig
from spanwise.config.table import Table

Divergence = Literal["forward_kl", "reverse_kl", "jsd", "skew_forward_kl", "skew_reverse_kl", "cross_entropy"]
Reduction = Literal["token_sum", "kind_mean", "span_mean"]
Method = Literal["language_model", "sft", "token_kd", "sad"]
Pacing = Literal["none", "sorted", "competence"]
Segments = Literal["spans", "none", "random"]


class TermConfig(Table):
    """One kind's loss: which divergence, how heavy, at which temperature."""

    divergence: Divergence = "forward_kl"
    weight: float = Field(default=1.0, ge=0)
    temperature: float = Field(default=1.0, gt=0)
    beta: float = Field(default=0.5, gt=0, lt=1, description="interpolation of jsd")
    alpha: float = Field(default=0.1, gt=0, lt=1, description="of skew KL: share of the other distribution")
    hard: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        exclude_if=partial(eq, 0.0),
        description="share of the loss that is cross-entropy with the recorded token",
    )
    focus: float = Field(
        default=0.0,
        ge=0,
        exclude_if=partial(eq, 0.0),
        description="each loss l counts as l * (1 - exp(-l)) ** focus, so what is learnt counts less; 0, or 1 and more",
    )
    gate: float = Field(
        default=0.0,
        ge=-1,
        le=1,
        exclude_if=partial(eq, 0.0),
        description="how much a token counts by the teacher's entropy: max(0, 1 + gate * (entropy / its mean - 1))",
    )

    @model_validator(mode="after")
    def _check_use(self) -> Self:
        if self.divergence == "cross_entropy" and self.temperature != 1:
            raise ValueError(f"cross_entropy has no temperature, found {self.temperature}")
        if 0 < self.focus < 1:
            raise ValueError(f"focus is 0, or 1 and more, found {self.focus}")
        if self.divergence == "cross_entropy" and self.hard != 0:
            raise ValueError(f"hard mixes cross-entropy into a divergence, found {self.hard} for cross_entropy")
        if self.divergence != "jsd" and self.beta != 0.5:
            raise ValueError(f"beta belongs to jsd, found {self.beta} for {self.divergence}")
        if not self.divergence.startswith("skew") and self.alpha != 0.1:
            raise ValueError(f"alpha belongs to the skew divergences, found {self.alpha} for {self.divergence}")
        return self


class LearntWeightsConfig(Table):
    """Weights of REASON and ACT that are learnt while training goes on; see ``training/learnt_weights.py``."""

    held_out: float = Field(
        default=0.05, gt=0, lt=1, description="share of the tasks that are for this, and not trained on"
    )
    every: int = Field(default=10, ge=1, description="optimizer steps from one change to the next")
    rate: float = Field(default=1.0, gt=0, description="of a change, in log(weight) per unit of the slope")


class ObjectiveConfig(Table):
    """What is minimised; see ``training/objective.py``."""

    method: Method = "sft"
    reason: TermConfig = TermConfig()
    act: TermConfig = TermConfig()
    reduction: Reduction = "kind_mean"
    segmentation: Segments = Field(
        default="spans",
        exclude_if=partial(eq, "spans"),
        description="none: all that an agent wrote is one kind, act; random: kinds are moved along within each step",
    )
    decisions: float = Field(
        default=1.0,
        gt=0,
        exclude_if=partial(eq, 1.0),
        description="how much an ACT token counts in which a word of the command begins",
    )
    foretells: float = Field(
        default=1.0,
        gt=0,
        exclude_if=partial(eq, 1.0),
        description="how much a REASON token counts in which a word begins that the command says too",
    )
    fade: float = Field(
        default=0.0,
        ge=0,
        le=1,
        exclude_if=partial(eq, 0.0),
        description="share of training over which gates, decisions, foretells fade to 1, context to 0, linearly; "
        "0: they stay",
    )
    context: float = Field(
        default=0.0,
        ge=0,
        exclude_if=partial(eq, 0.0),
        description="weight of predicting what the environment says, by cross-entropy; 0: it is only read",
    )
    learnt_weights: LearntWeightsConfig | None = Field(
        default=None,
        exclude_if=partial(eq, None),
        description="learn reason.weight and act.weight on trajectories that are kept back, from where they stand",
    )
    attention: float = Field(
        default=0.0,
        ge=0,
        exclude_if=partial(eq, 0.0),
        description="weight of KL(teacher's attention || student's) where REASON and ACT are written",
    )
    attention_layers: Literal["last", "all"] = Field(
        default="last",
        exclude_if=partial(eq, "last"),
        description="last: of both models; all: each of the student's, with the teacher's at the same share of depth",
    )

    @property
    def terms(self) -> tuple[TermConfig, ...]:
        """Those that have a part in it."""
        if self.method == "token_kd" or (self.method == "sad" and self.segmentation == "none"):
            return (self.act,)
        return tuple(term for term in (self.reason, self.act) if term.weight > 0) if self.method == "sad" else ()

    @property
    def needs_entropy(self) -> bool:
        """Whether the teacher's entropy says how much a token counts."""
        return any(term.gate != 0 for term in self.terms)

    @property
    def needs_teacher(self) -> bool:
        """Whether it asks a teacher for anything."""
        soft = any(term.divergence != "cross_entropy" for term in self.terms)
        return self.needs_entropy or self.attention > 0 or soft

    @model_validator(mode="after")
    def _check_use(self) -> Self:
        plain = self.decisions == self.foretells == 1 and self.reason.gate == self.act.gate == self.context == 0
        if self.fade != 0 and plain:
            raise ValueError(
                f"fade = {self.fade}, and there is nothing to fade: no gate, decisions, foretells or context"
            )
        if self.context and self.method == "language_model":
            raise ValueError("context has no meaning for the method language_model, to which all tokens are the same")
        if self.attention > 0 and self.method not in ("token_kd", "sad"):
            raise ValueError(f"attention is a teacher's, which token_kd and sad have; found the method {self.method}")
        if self.attention == 0 and self.attention_layers != "last":
            raise ValueError(f"attention_layers = {self.attention_layers!r}, and attention has no weight")
        if self.method == "sad":
            self._check_segments()
            return self
        unused = [] if self.reduction in ("kind_mean", "token_sum") else ["reduction"]
        unused += [
            name
            for name, plain in (("segmentation", "spans"), ("decisions", 1), ("foretells", 1))
            if getattr(self, name) != plain
        ]
        unused += [] if self.learnt_weights is None else ["learnt_weights"]
        if self.method == "token_kd":
            unused += [] if self.reason in (TermConfig(), self.act) else ["reason"]
            unused += [] if self.act.weight == 1 else ["act.weight"]
        else:
            unused += [name for name in ("reason", "act") if getattr(self, name) != TermConfig()]
        if unused:
            raise ValueError(f"{unused[0]} has no meaning for the method {self.method}; sad is the one that has it")
        return self

    def _check_segments(self) -> None:
        if self.learnt_weights is not None and (self.segmentation == "none" or len(self.terms) < 2):
            raise ValueError("learnt_weights are those of REASON and ACT: both need spans, and a weight above 0")
        if self.learnt_weights is not None and (self.attention > 0 or self.context > 0):
            raise ValueError("learnt_weights look at REASON and ACT alone, and attention and context add other losses")
        emphases = (
            ("decisions", self.decisions, "act", self.act),
            ("foretells", self.foretells, "reason", self.reason),
        )
        for name, value, kind, _ in emphases:
            if self.segmentation != "spans" and value != 1:
                raise ValueError(f'{name} are of {kind.upper()} spans, found segmentation = "{self.segmentation}"')
        if self.segmentation != "none":
            if self.reason.weight == self.act.weight == 0:
                raise ValueError("reason.weight and act.weight are both 0, so nothing would be learnt")
            for name, term in (("reason", self.reason), ("act", self.act)):
                if term.weight == 0 and term.gate != 0:
                    raise ValueError(f"{name}.gate = {term.gate} weighs tokens whose weight is 0")
            for name, value, kind, term in emphases:
                if term.weight == 0 and value != 1:
                    raise ValueError(f"{name} = {value} weighs tokens whose {kind}.weight is 0")
            return
        unused = [] if self.reason in (TermConfig(), self.act) else ["reason"]
        unused += [] if self.act.weight == 1 else ["act.weight"]
        if unused:
            raise ValueError(f'{unused[0]} has no meaning where segmentation = "none": act is the term of all tokens')


class CurriculumConfig(Table):
    """C = alpha * |REASON| + beta * |ACT| + gamma * entropy, each standardised; pacing is how it orders training."""

    alpha: float = 1.0
    beta: float = 1.0
    gamma: float = 1.0
    pacing: Pacing = "none"
    until: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="share of the training after which `competence` draws from all trajectories",
    )


class OnPolicyConfig(CollectConfig):
    """Games that a student plays in the middle of its training, to learn what the teacher would say where it got to."""

    after: float = Field(default=0.6, gt=0, lt=1, description="share of the steps that come before it plays")
    only_successful: bool = Field(default=False, description="whether it learns only from games that it won")


class TrainingConfig(Table):
    """One training run."""

    objective: ObjectiveConfig = ObjectiveConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    epochs: float = Field(default=1.0, gt=0)
    max_steps: int | None = Field(default=None, ge=1, description="optimizer steps; overrides epochs")
    batch_tokens: int = Field(default=16384, ge=1, description="tokens (padding included) of one forward pass")
    layout: Literal["auto", "packed", "padded"] = Field(
        default="auto",
        description="rows one after the other or padded; auto: packed where attention keeps them apart",
    )
    accumulation: int = Field(default=1, ge=1, description="forward passes per optimizer step")
    activation_checkpointing: bool = Field(default=False, description="compute activations twice, to hold fewer")
    optimizer: Literal["adamw", "muon"] = Field(
        default="muon", description="muon: Muon for matrices, AdamW for the rest"
    )
    learning_rate: float = Field(default=1e-2, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(default=0.1, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="auto: bf16 where the machine computes in it"
    )
    compile: bool = Field(
        default=False,
        exclude_if=partial(eq, False),
        description="compile the layers, which pays after some hundred steps; needs a C++ compiler on CPUs",
    )
    max_length: int = Field(default=2048, ge=8, description="longer trajectories follow `overlong`")
    overlong: Literal["cut", "drop"] = Field(default="cut", description="cut after the last step that fits, or drop")
    save_every: int = Field(default=200, ge=1, description="optimizer steps between checkpoints")
    log_every: int = Field(default=10, ge=1)
    on_policy: OnPolicyConfig | None = Field(
        default=None,
        exclude_if=partial(eq, None),
        description="the student plays too, and is told by the teacher what to say there; see on_policy.py",
    )

    @model_validator(mode="after")
    def _check_on_policy(self) -> Self:
        if self.on_policy is None:
            return self
        if self.max_steps is None or self.max_steps < 2:
            raise ValueError(f"on_policy needs max_steps of 2 or more, which it divides; found {self.max_steps}")
        if self.objective.learnt_weights is not None:
            raise ValueError("on_policy trains in two parts, and learnt_weights would begin anew in the second")
        terms = self.objective.terms
        if not terms or any(term.divergence == "cross_entropy" or term.hard > 0 for term in terms):
            raise ValueError(
                "on_policy needs an objective that asks the teacher alone: what a student wrote itself is nothing to "
                "imitate (cross_entropy, hard)"
            )
        return self

    @model_validator(mode="after")
    def _check_entropy(self) -> Self:
        if self.curriculum.pacing != "none" and self.curriculum.gamma != 0 and not self.objective.needs_teacher:
            raise ValueError(
                f"curriculum.gamma = {self.curriculum.gamma} weighs a teacher's entropy, and the objective has no "
                "teacher: set curriculum.gamma = 0.0"
            )
        return self
