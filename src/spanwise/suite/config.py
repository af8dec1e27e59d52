"""What a suite may say: each model here is one table of its TOML file. ``loading.py`` reads such files."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spanwise.config import (
    ArchitectureConfig,
    EnvironmentConfig,
    EvaluateConfig,
    Names,
    Recipe,
    StudentConfig,
    Table,
    TrainingConfig,
)

#: How many trajectories a student learns from: a number, or all that there are.
Amount = Annotated[int, Field(ge=1)] | Literal["all"]

# TOML has arrays only; they may become tuples.
Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(strict=False)]
Amounts = Annotated[tuple[Amount, ...], Field(strict=False)]


@dataclass(frozen=True, slots=True)
class Cell:
    """One student of a suite.

    Attributes:
        method: Name of what is minimised.
        size: Name of its architecture.
        seed: Of its initial weights and of the order of its data; teacher and trajectories are the same for all.
        data: Trajectories it learns from.
    """

    method: str
    size: str
    seed: int
    data: Amount = "all"

    @property
    def name(self) -> str:
        """Its folder below ``cells/``."""
        return f"{self.method}/{self.size}/{self.seed}" + ("" if self.data == "all" else f"-{self.data}")


class Grid(Table):
    """A product of some values of each axis; an axis that is left out has all of its values, ``data`` has ``"all"``."""

    methods: Names = ()
    sizes: Names = ()
    seeds: Seeds = ()
    data: Amounts = ("all",)


class Split(Table):
    """Games that every agent plays: what differs from the recipe's ``evaluate`` and ``environment``."""

    evaluate: EvaluateConfig = EvaluateConfig()
    environment: EnvironmentConfig = EnvironmentConfig()


class Suite(Table):
    """Many students of one teacher.

    The recipe makes the teacher. Its students' architecture and training are what sizes and methods start from.
    """

    name: str
    recipe: Recipe
    methods: dict[str, TrainingConfig]
    sizes: dict[str, ArchitectureConfig]
    seeds: Seeds = (0, 1, 2)
    splits: dict[str, Split]
    main_size: str = Field(description="of the students in the main table")
    baseline: str = Field(default="token_kd", description="method that the others are compared with")
    fidelity: int = Field(
        default=40,
        ge=1,
        description="of the held-out trajectories, by which students are judged (recipe.teacher.rollouts.held_out)",
    )
    grids: Annotated[tuple[Grid, ...], Field(strict=False)] = (Grid(),)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every student, once: grid by grid, all methods of a seed before the next seed."""
        return tuple(dict.fromkeys(itertools.chain.from_iterable(map(self._cells_of, self.grids))))

    @property
    def first_split(self) -> str:
        """The split of the main table."""
        return next(iter(self.splits))

    def constrained(self, split: str) -> str | None:
        """The split of the same games in which commands have to be admissible; None if there is none."""
        free = self.splits[split]
        for name, other in self.splits.items():
            same = (other.environment, other.evaluate.split) == (free.environment, free.evaluate.split)
            if same and other.evaluate.constrained and not free.evaluate.constrained:
                return name
        return None

    def teaching(self) -> Recipe:
        """The recipe of the teacher, which knows all methods, so that what it says is kept for all of them."""
        methods = {name: StudentConfig(training=training) for name, training in self.methods.items()}
        return self.recipe.model_copy(
            update={"name": self.name, "students": self.recipe.students.model_copy(update={"methods": methods})}
        )

    def recipe_of(self, cell: Cell) -> Recipe:
        """The recipe of one student."""
        training = self.methods[cell.method]
        students = {"model": self.sizes[cell.size], "training": training}
        students |= {"methods": {cell.method: StudentConfig(training=training)}}
        return self.recipe.model_copy(
            update={"name": self.name, "students": self.recipe.students.model_copy(update=students)}
        )

    def playing(self, split: str, workers: int | None = None) -> Recipe:
        """The recipe of an evaluation.

        Args:
            split: Name of the split.
            workers: Processes that play the games; None: as many as the split says.
        """
        of_split = self.splits[split]
        environment = of_split.environment
        if workers is not None:
            environment = environment.model_copy(update={"workers": workers})
        return self.recipe.model_copy(update={"evaluate": of_split.evaluate, "environment": environment})

    def _cells_of(self, grid: Grid) -> Iterator[Cell]:
        axes = (grid.data, grid.sizes or self.sizes, grid.seeds or self.seeds, grid.methods or self.methods)
        for data, size, seed, method in itertools.product(*axes):
            yield Cell(method, size, seed, data)

    @model_validator(mode="after")
    def _check_use(self) -> Self:
        if self.recipe.data is not None:
            raise ValueError("recipe.data: a suite plays games, and its recipe learns from recorded trajectories")
        if self.recipe.students.pretraining is not None:
            raise ValueError("recipe.students.pretraining: a suite starts its students from scratch, or from a path")
        for table in ("methods", "sizes", "splits"):
            names: dict[str, object] = getattr(self, table)
            if not names:
                raise ValueError(f"{table}: a suite needs at least one")
            for name in names:
                if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
                    raise ValueError(f"{table}: a name is made of letters, digits, '-' and '_'; found {name!r}")
        for name, split in self.splits.items():
            try:
                split.evaluate.check_constraint(split.environment)
            except ValueError as error:
                raise ValueError(f"splits.{name}: {error}") from error
        if not self.seeds:
            raise ValueError("seeds: a suite needs at least one")
        _check_known("main_size", [self.main_size], self.sizes)
        _check_known("baseline", [self.baseline], self.methods)
        for number, grid in enumerate(self.grids):
            _check_known(f"grids.{number}.methods", grid.methods, self.methods)
            _check_known(f"grids.{number}.sizes", grid.sizes, self.sizes)
        return self


def _check_known(field: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ValueError(f"{field}: there is no {name!r}; did you mean {near!r}? Known: {', '.join(known)}")


def cell_folder(run: Path, cell: Cell) -> Path:
    """Where a student lies."""
    return run / "cells" / cell.name
