"""Recipes: strict TOML, checked by pydantic; an unknown key is an error that names the nearest known one.

Each model here is one table of a recipe. Defaults are what most recipes want; what a run used is written to its manifest.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Divergence = Literal["forward_kl", "reverse_kl", "jsd", "cross_entropy"]
Reduction = Literal["token_sum", "kind_mean", "span_mean"]
Method = Literal["language_model", "sft", "token_kd", "sad"]
Pacing = Literal["none", "sorted", "competence"]


class Table(BaseModel):
    """Base of all tables: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GeneratorConfig(Table):
    """Games that spanwise makes itself (``environment.source = "generated"``)."""

    seed: int = 0
    train: int = Field(2000, ge=0, description="games in the train split")
    valid_seen: int = Field(200, ge=0, description="games in rooms that train has, with other objects and goals")
    valid_unseen: int = Field(200, ge=0, description="games in rooms that train does not have")
    task_types: tuple[str, ...] = Field((), description="ALFWorld task types; empty: all six")
    rooms: tuple[str, ...] = Field((), description="kitchen, bedroom, livingroom, bathroom; empty: all four")
    size: Literal["small", "full"] = Field("full", description="receptacles and objects in a room: few, or as in ALFRED")


class EnvironmentConfig(Table):
    """The world that is played."""

    name: Literal["alfworld", "toy"] = "alfworld"
    source: Literal["generated", "released"] = "generated"
    data: str | None = Field(None, description="folder that holds json_2.1.1; default: the variable ALFWORLD_DATA")
    budget: int = Field(50, ge=1, description="engine actions an episode may use; think-only turns are free")
    style: Literal["react", "think"] = Field("react", description="how a completion is cut: see traces/segment.py")
    workers: int = Field(2, ge=0, description="processes that play the games; 0: in this process")
    generator: GeneratorConfig = GeneratorConfig()


class CollectConfig(Table):
    """Which episodes are recorded, and which are kept."""

    split: str = "train"
    limit: int | None = Field(None, ge=1, description="tasks; default: all of the split")
    episodes_per_task: int = Field(1, ge=1)
    concurrency: int = Field(64, ge=1, description="episodes in lock-step")
    temperature: float = Field(0.0, ge=0, description="0: greedy")
    max_new_tokens: int = Field(160, ge=1, description="tokens a completion may have")
    only_successful: bool = True


class TokenizerConfig(Table):
    """Byte-level BPE learnt from the expert's trajectories (used where a model is made from scratch)."""

    vocab_size: int = Field(1536, ge=264)


class ArchitectureConfig(Table):
    """A Llama-style model from scratch, or a pretrained one by ``path``."""

    path: str | None = Field(None, description="folder or hub name of a Hugging Face causal LM; overrides the sizes below")
    hidden_size: int = 256
    intermediate_size: int = 768
    layers: int = 6
    heads: int = 8
    kv_heads: int | None = Field(None, description="default: as many as heads")
    max_length: int = Field(2048, description="tokens of context")


class TermConfig(Table):
    """One kind's loss: which divergence, how heavy, at which temperature."""

    divergence: Divergence = "forward_kl"
    weight: float = Field(1.0, ge=0)
    temperature: float = Field(1.0, gt=0)
    beta: float = Field(0.5, gt=0, lt=1, description="interpolation of jsd")


class ObjectiveConfig(Table):
    """What is minimised; see ``training/objective.py``."""

    method: Method = "sft"
    reason: TermConfig = TermConfig()
    act: TermConfig = TermConfig()
    reduction: Reduction = "kind_mean"


class CurriculumConfig(Table):
    """C = alpha * |REASON| + beta * |ACT| + gamma * teacher entropy, each standardised; pacing is how it orders training."""

    alpha: float = 1.0
    beta: float = 1.0
    gamma: float = 1.0
    pacing: Pacing = "none"


class TrainingConfig(Table):
    """One training run."""

    objective: ObjectiveConfig = ObjectiveConfig()
    curriculum: CurriculumConfig = CurriculumConfig()
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1, description="optimizer steps; overrides epochs")
    batch_tokens: int = Field(16384, ge=1, description="tokens (padding included) of one forward pass")
    accumulation: int = Field(1, ge=1, description="forward passes per optimizer step")
    optimizer: Literal["adamw", "muon"] = Field("muon", description="muon: Muon for matrices, AdamW for the rest")
    learning_rate: float = Field(1e-2, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.1, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the machine computes in it")
    max_length: int = Field(2048, ge=8, description="longer trajectories follow `overlong`")
    overlong: Literal["cut", "drop"] = Field("cut", description="cut after the last step that fits, or drop")
    save_every: int = Field(200, ge=1, description="optimizer steps between checkpoints")
    log_every: int = Field(10, ge=1)


class TeacherConfig(Table):
    """The teacher: trained here on expert trajectories, or any model folder (then ``training`` is left out)."""

    model: ArchitectureConfig = ArchitectureConfig()
    pretraining: TrainingConfig | None = Field(None, description="language modelling on all tokens first")
    training: TrainingConfig | None = TrainingConfig()
    rollouts: CollectConfig = CollectConfig()


class StudentConfig(Table):
    """One student: a name in the table, an objective, and what differs from the shared settings."""

    training: TrainingConfig = TrainingConfig()


class StudentsConfig(Table):
    """All students share an architecture and a start; each method is an entry of ``methods``."""

    model: ArchitectureConfig = ArchitectureConfig(hidden_size=128, intermediate_size=384, layers=4, heads=4)
    pretraining: TrainingConfig | None = None
    methods: dict[str, StudentConfig] = {}


class EvaluateConfig(Table):
    """Which tasks every agent plays; the same ones, with the same seeds."""

    split: str = "valid_seen"
    limit: int | None = Field(None, ge=1)
    episodes_per_task: int = Field(1, ge=1)
    concurrency: int = Field(64, ge=1)
    temperature: float = Field(0.0, ge=0)
    max_new_tokens: int = Field(160, ge=1)
    confidence: float = Field(0.95, gt=0, lt=1)


class Recipe(Table):
    """A complete run."""

    name: str
    seed: int = 0
    environment: EnvironmentConfig = EnvironmentConfig()
    collect: CollectConfig = CollectConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    teacher: TeacherConfig = TeacherConfig()
    students: StudentsConfig = StudentsConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
