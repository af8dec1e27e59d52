"""A recipe, and its tables of data, models, teacher and students."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from spanwise.config.environment import (
    EnvironmentConfig,
    EvaluateConfig,
    ExpertCollectConfig,
    TeacherCollectConfig,
)
from spanwise.config.table import NONE, Table, merge
from spanwise.config.training import TrainingConfig

#: Names that a student cannot have: its folders would be those of others.
RESERVED_NAMES = ("base", "expert", "teacher")


class TracesConfig(Table):
    """Which of the recorded trajectories (``data``) are learnt from, and which are kept out to judge models by."""

    held_out: float = Field(default=0.1, gt=0, lt=1, description="share of the tasks that no model learns from")
    only_successful: Literal["auto"] | bool = Field(
        default="auto", description="auto: leave out what is known to have failed; true: also what is not known"
    )
    min_reward: float | None = Field(default=None, description="leave out what has less, or where it is not known")
    min_steps: int = Field(default=1, ge=1)
    max_steps: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_steps(self) -> Self:
        if self.max_steps is not None and self.max_steps < self.min_steps:
            raise ValueError(f"max_steps = {self.max_steps} is less than min_steps = {self.min_steps}")
        return self


class TokenizerConfig(Table):
    """Byte-level BPE learnt from the expert's trajectories (used where a model is made from scratch)."""

    vocab_size: int = Field(default=1536, ge=264)


class ArchitectureConfig(Table):
    """A Qwen3-style model from scratch, or a pretrained one by ``path``."""

    path: str | None = Field(
        default=None, description="folder or hub name of a Hugging Face causal LM; overrides the sizes below"
    )
    hidden_size: int = Field(default=256, ge=2)
    intermediate_size: int = Field(default=768, ge=1)
    layers: int = Field(default=6, ge=1)
    heads: int = Field(default=8, ge=1)
    kv_heads: int | None = Field(default=None, ge=1, description="default: as many as heads")
    max_length: int = Field(default=2048, ge=8, description="tokens of context")

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(
                f"hidden_size must be a multiple of 2 * heads = {2 * self.heads}, found {self.hidden_size}"
            )
        if self.heads % (self.kv_heads or self.heads):
            raise ValueError(f"heads must be a multiple of kv_heads = {self.kv_heads}, found {self.heads}")
        return self


class SignalConfig(Table):
    """What is kept of a teacher's distributions."""

    variant: Literal["adaptive", "sampled"] = Field(
        default="adaptive", description="the likeliest tokens and the rest as one; or tokens drawn at random"
    )
    mass: float = Field(default=0.999, gt=0, le=1, description="adaptive: share that the kept tokens hold")
    most: int = Field(default=64, ge=1, le=255, description="adaptive: tokens that a position may keep")
    draws: int = Field(default=50, ge=1, le=255, description="sampled: tokens drawn for a position")
    seed: int = Field(default=0, ge=0, lt=2**31, description="sampled: of the draws")


class TeacherConfig(Table):
    """The teacher: trained here on what is recorded, or a folder that is one already (``training = "none"``).

    Students that learn from recorded ``data`` may do without: no training and no ``model.path``.
    """

    model: ArchitectureConfig = ArchitectureConfig()
    pretraining: TrainingConfig | None = Field(default=None, description="language modelling on all tokens first")
    training: TrainingConfig | None = TrainingConfig()
    rollouts: TeacherCollectConfig = TeacherCollectConfig()
    source: Literal["online", "cache"] = Field(
        default="online",
        description="students ask the teacher at every step, or read what it once said, and where it looked",
    )
    signals: SignalConfig = SignalConfig()

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self.training is not None or self.model.path is not None

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if self.training is None and self.pretraining is not None:
            raise ValueError("pretraining without training makes no teacher")
        return self


class StudentConfig(Table):
    """One student: an objective, and what differs from ``students.training``."""

    training: TrainingConfig = TrainingConfig()


class StudentsConfig(Table):
    """All students share an architecture, a start and settings; each entry of ``methods`` is one, by its name."""

    model: ArchitectureConfig = ArchitectureConfig(hidden_size=128, intermediate_size=384, layers=4, heads=4)
    pretraining: TrainingConfig | None = None
    training: TrainingConfig = Field(default=TrainingConfig(), description="what every method starts from")
    methods: dict[str, StudentConfig] = Field(default={})
    side_by_side: int = Field(
        default=1, ge=1, description="methods trained at a time, a process each, sharing the CPU's threads"
    )

    @model_validator(mode="before")
    @classmethod
    def _share_training(cls, values: Any) -> Any:
        """Lays each method's ``training`` over the shared one; a method that is ``"none"`` is left out."""
        if not isinstance(values, dict) or not isinstance(values.get("methods"), dict):
            return values
        shared = {"training": values.get("training", {})}
        methods = {
            name: merge(shared, method) if isinstance(method, dict) else method
            for name, method in values["methods"].items()
            if method != NONE
        }
        return {**values, "methods": methods}

    @field_validator("methods")
    @classmethod
    def _check_names(cls, methods: dict[str, StudentConfig]) -> dict[str, StudentConfig]:
        for name in methods:
            if name in RESERVED_NAMES or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
                raise ValueError(
                    f"a student's name is made of letters, digits, '-' and '_', and is none of "
                    f"{', '.join(RESERVED_NAMES)}; found {name!r}"
                )
        return methods


class Recipe(Table):
    """A complete run."""

    name: str
    seed: int = 0
    data: str | None = Field(
        default=None,
        description="file of recorded trajectories to learn from (spanwise import makes one); then nothing is played",
    )
    traces: TracesConfig = TracesConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    collect: ExpertCollectConfig = ExpertCollectConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    teacher: TeacherConfig = TeacherConfig()
    students: StudentsConfig = StudentsConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    @property
    def judges_text(self) -> bool:
        """Whether trajectories are held out, by which models are judged turn by turn."""
        return self.data is not None or self.teacher.rollouts.held_out > 0

    @property
    def kept_attention(self) -> Literal["last", "all"] | None:
        """Layers of the teacher whose attention some student could read from a cache; None: nobody learns it."""
        trainings = [student.training for student in self.students.methods.values()]
        layers = {one.objective.attention_layers for one in trainings if one.objective.attention and not one.on_policy}
        return "all" if "all" in layers else "last" if layers else None

    @property
    def tokenizer_path(self) -> str | None:
        """The model whose tokenizer all models use; None: one is made from the text."""
        return self.teacher.model.path or (None if self.data is None else self.students.model.path)

    @model_validator(mode="after")
    def _check_use(self) -> Self:
        self.evaluate.check_constraint(self.environment)
        if self.environment.rendering == "chat" and self.tokenizer_path is None:
            raise ValueError(
                'environment.rendering = "chat" needs a chat template: name a model that has one by teacher.model.path'
                + (" or students.model.path" if self.data is not None else "")
            )
        if self.data is not None and self.teacher.rollouts.held_out > 0:
            raise ValueError("teacher.rollouts.held_out is of episodes that are played; of data, set traces.held_out")
        trainings = {"teacher.training": self.teacher.training, "students.pretraining": self.students.pretraining}
        for name, training in trainings.items():
            if training is not None and training.on_policy is not None:
                raise ValueError(f"{name}.on_policy: only students have a teacher who tells them what to say")
        for name, student in self.students.methods.items():
            if student.training.on_policy is not None and self.data is not None:
                raise ValueError(f"students.methods.{name}: on_policy plays games, and the recipe has data instead")
        if self.data is None and self.traces != TracesConfig():
            raise ValueError("traces chooses among recorded trajectories: name their file by data")
        if not self.teacher.exists:
            self._check_without_teacher()
        if self.teacher.source == "cache" and self.teacher.signals.variant == "sampled":
            for name, student in self.students.methods.items():
                objective = student.training.objective
                for term in (objective.reason, objective.act) if objective.needs_teacher else ():
                    linear = (term.divergence, term.temperature, term.focus) == ("forward_kl", 1, 0)
                    if term.divergence != "cross_entropy" and not linear:
                        found = f"{term.divergence} at {term.temperature}" + f", focus {term.focus:g}" * (
                            term.focus > 0
                        )
                        raise ValueError(
                            f"students.methods.{name}: sampled signals are unbiased for forward_kl at temperature 1 "
                            f'only, found {found}: use teacher.signals.variant = "adaptive"'
                        )
        return self

    def _check_without_teacher(self) -> None:
        if self.data is None:
            raise ValueError(
                "a teacher without training needs teacher.model.path, the folder of one that can play; to learn from "
                "recorded trajectories instead, name their file: data=FILE"
            )
        if self.teacher.source == "cache":
            raise ValueError('teacher.source = "cache" keeps what a teacher says, and there is none')
        for name, student in self.students.methods.items():
            if student.training.objective.needs_teacher:
                raise ValueError(
                    f"students.methods.{name}: its objective compares with a teacher, and there is none: name one by "
                    "teacher.model.path, train one by teacher.training, or learn from the text alone (method sft, or "
                    "sad with reason.divergence and act.divergence = cross_entropy)"
                )
