"""WebShop's goals as tasks: of the files under ``WEBSHOP_DATA``, or of a catalogue that spanwise makes itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from spanwise.config import EnvironmentConfig
from spanwise.environments.protocol import Environment, Outcome, TaskInfo
from spanwise.environments.webshop.catalogue import Catalogue, read_catalogue
from spanwise.environments.webshop.generate import generate_catalogue
from spanwise.environments.webshop.goals import Leakage, goal_at, leakage, make_goals, split_goals
from spanwise.environments.webshop.nouns import make_finder
from spanwise.environments.webshop.observations import RENDERERS
from spanwise.environments.webshop.react import INVALID, ReactVisit
from spanwise.environments.webshop.reward import Scorer
from spanwise.environments.webshop.search import Index, build_index
from spanwise.environments.webshop.shop import DonePage, Page, SearchEngine, Shop, Visit
from spanwise.errors import TaskDataError

#: Folder beside the product files that may hold the search engine's index, a folder for each catalogue.
INDEX_FOLDER = "index"
_PREFIX = "goal-"


class WebshopTasks:
    """WebShop's goals as tasks. An id is ``goal-<number>``, in the original's order; a type is a department.

    Picklable: it holds its configuration only, and opens the shop where it is used.
    """

    name = "webshop"

    def __init__(self, config: EnvironmentConfig):
        """The tasks that ``config`` asks for; nothing is read yet."""
        self.config = config

    def __reduce__(self) -> tuple[type[WebshopTasks], tuple[EnvironmentConfig]]:
        return WebshopTasks, (self.config,)

    def tasks(self, split: str) -> Sequence[TaskInfo]:
        """All tasks of a split, by number.

        Raises:
            TaskDataError: The split does not exist or has no goals, or the data are missing or damaged.
        """
        if split not in self._splits:
            raise TaskDataError(f"webshop: no split {split!r}; there are: {', '.join(self._splits)}")
        if not self._splits[split]:
            raise TaskDataError(
                f"{self.shop.catalogue.source}: the split {split!r} has no goal: there are {len(self.shop.goals):,} "
                f"goals, split by environment.webshop.split = {self.config.webshop.split!r}"
            )
        catalogue, goals = self.shop.catalogue, self.shop.goals
        return [
            TaskInfo(f"{_PREFIX}{number}", catalogue.by_asin[goals[number].asin].category)
            for number in self._splits[split]
        ]

    def make(self, task_id: str, seed: int) -> Environment:
        """A fresh episode of a task. There is no chance in it: the seed changes nothing.

        Raises:
            TaskDataError: The task is unknown, or its product is not in the catalogue.
        """
        number = task_id.removeprefix(_PREFIX)
        if number == task_id or not (number.isascii() and number.isdecimal()):
            raise TaskDataError(f"webshop: no task {task_id!r}; ids read {_PREFIX}<number>, as {_PREFIX}0")
        goal = goal_at(self.shop.goals, int(number))
        self.shop.catalogue.product(goal.asin, task_id)
        if self.config.webshop.observation == "react":
            return ReactEnvironment(ReactVisit(self.shop, goal))
        return WebshopEnvironment(Visit(self.shop, goal), self.config.webshop.observation)

    def facts(self) -> dict[str, Any]:
        """The catalogue, how many products and goals it has, and where the nouns of titles come from."""
        shop = self.shop
        return {
            "catalogue": shop.catalogue.source,
            "products": len(shop.catalogue.products),
            "goals": len(shop.goals),
            "nouns": shop.scorer.finder.source,
        }

    def leakage(self) -> list[Leakage]:
        """How much of test and valid is known from train."""
        return leakage(self.shop.goals, self._splits)

    @cached_property
    def shop(self) -> Shop:
        """The shop, opened at first use.

        Raises:
            TaskDataError: The data are missing or damaged.
        """
        settings = self.config.webshop
        catalogue, engine = self._stock()
        goals, prices = make_goals(catalogue, settings.goals, settings.seed)
        scorer = Scorer(prices, make_finder(catalogue, settings.nouns), settings.reward)
        return Shop(catalogue, goals, engine, scorer)

    @cached_property
    def _splits(self) -> dict[str, tuple[int, ...]]:
        return split_goals(self.shop.goals, self.config.webshop.split)

    def _stock(self) -> tuple[Catalogue, SearchEngine]:
        if self.config.source == "generated":
            catalogue = generate_catalogue(self.config.webshop.products, self.config.generator.seed)
            return catalogue, index_of(catalogue)
        folder = _data_folder(self.config.data)
        catalogue = read_catalogue(folder, self.config.webshop.catalogue)
        kept = folder / INDEX_FOLDER / self.config.webshop.catalogue
        return catalogue, _kept_index(kept, catalogue) if kept.is_dir() else index_of(catalogue)


class WebshopEnvironment:
    """One episode by the original's rules; see :class:`spanwise.environments.protocol.Environment`."""

    def __init__(self, visit: Visit, observation: str):
        """An episode that begins where the visit is; ``observation`` is a key of ``RENDERERS``."""
        self._visit = visit
        self._render = RENDERERS[observation]

    def reset(self) -> str:
        """The search page, which states the goal."""
        return self._look()

    def step(self, action: str) -> Outcome:
        """Searches or clicks; what cannot be done shows the same page again. Buying ends the episode."""
        valid = self._visit.act(action)
        return _outcome(self._look(), self._visit.page, valid)

    def close(self) -> None:
        """There is nothing to free."""

    def _look(self) -> str:
        return self._render(self._visit.page, self._visit.goal.text)


class ReactEnvironment:
    """One episode by the rules of ReAct's agents."""

    def __init__(self, visit: ReactVisit):
        """An episode that begins where the visit is."""
        self._visit = visit

    def reset(self) -> str:
        """The search page, which states the goal."""
        return self._visit.look()

    def step(self, action: str) -> Outcome:
        """Searches, clicks or thinks; what cannot be done is answered by ``Invalid action!``."""
        answer = self._visit.act(action)
        return _outcome(INVALID if answer is None else answer, self._visit.page, answer is not None)

    def close(self) -> None:
        """There is nothing to free."""


def index_of(catalogue: Catalogue) -> Index:
    """The search engine of a catalogue, built in memory."""
    products = catalogue.products
    return build_index((product.index_text for product in products), (product.asin for product in products))


def _kept_index(folder: Path, catalogue: Catalogue) -> Index:
    index = Index.load(folder)
    if len(index) != len(catalogue.products):
        raise TaskDataError(
            f"{folder}: is an index of {len(index):,} products, and {catalogue.source} has "
            f"{len(catalogue.products):,}; remove the folder, and it is built anew"
        )
    return index


def _outcome(observation: str, page: Page, valid: bool) -> Outcome:
    reward = page.score.reward if isinstance(page, DonePage) else 0.0
    return Outcome(observation, reward, isinstance(page, DonePage), success=reward == 1.0, valid=valid)


def _data_folder(configured: str | None) -> Path:
    named = configured or os.environ.get("WEBSHOP_DATA")
    if not named:
        raise TaskDataError(
            "WEBSHOP_DATA is not set and environment.data is not given: they name the folder that holds WebShop's "
            'items_shuffle*.json; `spanwise data webshop DEST` fetches it; or use environment.source = "generated"'
        )
    return Path(named).expanduser()
