"""Tables of the worlds that are played, of which episodes are recorded, and of how agents are judged there."""

from __future__ import annotations

from functools import partial
from operator import eq
from typing import Literal, Self

from pydantic import Field, model_validator

from spanwise.config.table import Names, Table

#: Environments that know what can be done in them now.
_LISTING = ("alfworld", "toy")


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
