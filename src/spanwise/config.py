"""What a recipe may say: each model here is one table of the TOML file. ``recipes.py`` reads such files.

Defaults are what most recipes want; what a run used is written to its manifest.
"""

from __future__ import annotations

import re
from functools import partial
from operator import eq
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Divergence = Literal["forward_kl", "reverse_kl", "jsd", "skew_forward_kl", "skew_reverse_kl", "cross_entropy"]
Reduction = Literal["token_sum", "kind_mean", "span_mean"]
Method = Literal["language_model", "sft", "token_kd", "sad"]
Pacing = Literal["none", "sorted", "competence"]
Segments = Literal["spans", "none", "random"]


#: TOML has no word for "nothing"; this one stands for it wherever a key may be left empty.
NONE = "none"

#: Names that a student cannot have: its folders would be those of others.
RESERVED_NAMES = ("base", "expert", "teacher")

#: Environments that know what can be done in them now.
_LISTING = ("alfworld", "toy")

# TOML has arrays only; they may become tuples.
Names = Annotated[tuple[str, ...], Field(strict=False)]


class Table(BaseModel):
    """Base of all tables: frozen; unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # Settings that came later have an ``exclude_if``: they are written where they are used, so runs made before go on.

    @model_validator(mode="before")
    @classmethod
    def _read_none(cls, values: Any) -> Any:
        """Takes ``"none"`` for nothing where nothing is allowed, so that an overlay can take a value back."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        return {
            key: None if value == NONE and key in fields and type(None) in get_args(fields[key].annotation) else value
            for key, value in values.items()
        }


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The base with the change laid over it, table by table; everything else is replaced whole."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


class GeneratorConfig(Table):
    """Games that spanwise makes itself (``environment.source = "generated"``)."""

    seed: int = 0
    train: int = Field(default=2000, ge=0, description="games in the train split")
    valid_seen: int = Field(
        default=200, ge=0, description="games in rooms that train has, with other objects and goals"
    )
    valid_unseen: int = Field(default=200, ge=0, description="games in rooms that train does not have")
    task_types: Names = Field(default=(), description="ALFWorld task types; empty: all six")
    rooms: Names = Field(default=(), description="kitchen, bedroom, livingroom, bathroom; empty: all four")
    size: Literal["small", "full"] = Field(
        default="full",
        description="receptacles and objects: few, and no spare ones of what the goal wants; or as in ALFRED",
    )


class WebshopConfig(Table):
    """How the shop of ``environment.name = "webshop"`` is set up."""

    catalogue: Literal["1000", "all"] = Field(
        default="1000", description="released files that are read: of the first 1,000 products, or of all 1.18 million"
    )
    products: int = Field(
        default=400, ge=1, description="products of a generated catalogue; its seed is the generator's"
    )
    goals: Literal["synthetic", "human"] = "synthetic"
    seed: int = Field(default=1, description="of the prices, where ranges are given, and of the goals' price limits")
    split: Literal["paper", "product_disjoint"] = Field(
        default="paper", description="goals 0-499 test, 500-1499 valid, the rest train; or no product in two splits"
    )
    reward: Literal["upstream", "fixed"] = Field(
        default="upstream", description="options as the original compares them, defect included; or value by value"
    )
    observation: Literal["text", "text_rich", "react"] = Field(
        default="text", description="the original's two text modes, or the pages and rules of ReAct's agents"
    )
    nouns: Literal["auto", "spacy", "words"] = Field(
        default="auto", description="nouns of titles: the folder's title_nouns.json or else spaCy's; or a rule of thumb"
    )


class HotpotqaConfig(Table):
    """Questions and encyclopedia of ``environment.name = "hotpotqa"``."""

    train: int = Field(default=4000, ge=0, description="questions of a generated world; its seed is the generator's")
    dev: int = Field(default=1000, ge=0)
    test: int = Field(default=500, ge=0)
    encyclopedia: Literal["local", "live"] = Field(
        default="local", description="what is searched: pages beside the questions, or today's Wikipedia"
    )
    index: str | None = Field(
        default=None,
        description="folder that keeps the index of local pages, and Wikipedia's answers; default: index in the data "
        "folder, or, where that is not for writing, spanwise/hotpotqa in the user's cache",
    )
    wikipedia: str = Field(default="https://en.wikipedia.org/w/api.php", description="address of a MediaWiki API")


class EnvironmentConfig(Table):
    """The world that is played."""

    name: Literal["alfworld", "hotpotqa", "toy", "webshop"] = "alfworld"
    source: Literal["generated", "released"] = "generated"
    data: str | None = Field(
        default=None,
        description="folder of the released data; default: the variable ALFWORLD_DATA, HOTPOTQA_DATA or WEBSHOP_DATA",
    )
    domain_randomization: bool = Field(
        default=False,
        description="number the objects of train games anew in each episode, as ALFWorld's own option does",
    )
    budget: int = Field(default=50, ge=1, description="engine actions that an episode may use")
    count_thoughts: bool = Field(
        default=False, description="whether turns that only think, and those without a command, use the budget too"
    )
    style: Literal["react", "think"] = Field(
        default="react", description="how a completion is cut: see traces/segment.py"
    )
    rendering: Literal["plain", "chat"] = Field(
        default="plain", description="text that a model reads: as it is, or in the chat template of its tokenizer"
    )
    workers: int = Field(default=2, ge=0, description="processes that play the games; 0: in this process")
    generator: GeneratorConfig = GeneratorConfig()
    hotpotqa: HotpotqaConfig = Field(default=HotpotqaConfig(), exclude_if=partial(eq, HotpotqaConfig()))
    webshop: WebshopConfig = WebshopConfig()

    @model_validator(mode="after")
    def _check_world(self) -> Self:
        for name, changed in (
            ("hotpotqa", self.hotpotqa != HotpotqaConfig()),
            ("webshop", self.webshop != WebshopConfig()),
        ):
            if changed and self.name != name:
                raise ValueError(f'{name} belongs to name = "{name}", found name = {self.name!r}')
        if self.hotpotqa.encyclopedia == "live" and self.source == "generated":
            raise ValueError(
                'hotpotqa.encyclopedia = "live" is for released questions: Wikipedia knows nothing of a generated '
                'world; set source = "released"'
            )
        return self


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


class CollectConfig(Table):
    """Which episodes are recorded, and which are kept."""

    split: str = "train"
    limit: int | None = Field(default=None, ge=1, description="tasks; default: all of the split")
    episodes_per_task: int = Field(default=1, ge=1)
    concurrency: int = Field(default=64, ge=1, description="episodes in lock-step")
    temperature: float = Field(default=0.0, ge=0, description="0: greedy")
    max_new_tokens: int = Field(default=160, ge=1, description="tokens a completion may have")
    only_successful: bool = True


class ExpertCollectConfig(CollectConfig):
    """The same for the expert, who may be made to err."""

    expert: str = Field(
        default="expert",
        exclude_if=partial(eq, "expert"),
        description="whom the teacher imitates: the best that plays by what it sees; webshop's `brisk`, who reads no "
        "features; or hotpotqa's `informed`, who knows what the answer follows from; evaluation is of the first",
    )
    slips: float = Field(
        default=0.0, ge=0, le=1, description="share of turns in which it misreads a number, to show how one recovers"
    )


class TeacherCollectConfig(CollectConfig):
    """The same for the teacher, some of whose episodes models are judged by."""

    held_out: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        exclude_if=partial(eq, 0.0),
        description="share of the tasks whose episodes no student learns from: each is judged by them, turn by turn",
    )


class OnPolicyConfig(CollectConfig):
    """Games that a student plays in the middle of its training, to learn what the teacher would say where it got to."""

    after: float = Field(default=0.6, gt=0, lt=1, description="share of the steps that come before it plays")
    only_successful: bool = Field(default=False, description="whether it learns only from games that it won")


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
        if self.method == "token_kd":
            unused += [] if self.reason in (TermConfig(), self.act) else ["reason"]
            unused += [] if self.act.weight == 1 else ["act.weight"]
        else:
            unused += [name for name in ("reason", "act") if getattr(self, name) != TermConfig()]
        if unused:
            raise ValueError(f"{unused[0]} has no meaning for the method {self.method}; sad is the one that has it")
        return self

    def _check_segments(self) -> None:
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
    methods: dict[str, StudentConfig] = {}
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


class EvaluateConfig(Table):
    """Which tasks every agent plays; the same ones, with the same seeds."""

    split: str = "valid_seen"
    limit: int | None = Field(default=None, ge=1)
    episodes_per_task: int = Field(default=1, ge=1)
    concurrency: int = Field(default=64, ge=1)
    temperature: float = Field(default=0.0, ge=0)
    max_new_tokens: int = Field(default=160, ge=1)
    confidence: float = Field(default=0.95, gt=0, lt=1)
    constrained: bool = Field(
        default=False,
        exclude_if=partial(eq, False),
        description="models choose among the commands that the environment lists; thoughts stay free",
    )

    def check_constraint(self, environment: EnvironmentConfig) -> None:
        """Makes sure that an environment can be played as it is asked for.

        Raises:
            ValueError: It lists no commands, or they cannot be told from thoughts while they are written.
        """
        if self.constrained and environment.name not in _LISTING:
            raise ValueError(
                f"evaluate.constrained: {environment.name} does not list its commands; those that do: "
                + ", ".join(_LISTING)
            )
        if self.constrained and environment.style != "react":
            raise ValueError('evaluate.constrained needs environment.style = "react", in which commands have a mark')


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
