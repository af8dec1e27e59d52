"""Two runs, evaluations or methods of a suite, compared on the same episodes: ``spanwise compare``.

What is compared with what goes by place: each folder with ``results.json`` below the one side with the folder of the
same relative path below the other. So two run directories are compared agent by agent, two cells of a suite split by
split, and two methods of a suite (``cells/METHOD/SIZE``) seed by seed, and then over all seeds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rich.box
import rich.table
from rich.text import Text

from spanwise.errors import RunDirectoryError
from spanwise.evaluation.comparison import compare
from spanwise.evaluation.metrics import EpisodeRecord, read_records
from spanwise.evaluation.statistics import Estimate
from spanwise.evaluation.trainings import compare_trainings, task_means
from spanwise.report.run_files import read_object
from spanwise.report.tables import UNKNOWN, interval_of_points, p_value, percent, points
from spanwise.traces.view import printable

EVALUATION, RESULTS = "evaluation", "results.json"

#: How a suite names the folder of a seed.
_SEED = re.compile(r"\d+(-\d+)?")
#: Conditions that change nothing of what is played.
_PASSING = frozenset({"workers", "data", "concurrency", "limit", "confidence"})

_VALUES: dict[str, Callable[[EpisodeRecord], float]] = {
    "success": lambda record: record.success,
    "reward": lambda record: record.reward,
}


@dataclass(frozen=True, slots=True)
class Paired:
    """How two agents differ on the same episodes.

    Attributes:
        name: Relative path of both evaluations, without the folder ``evaluation``; with a ``*`` for the seed where
            trained models of several are compared.
        quantity: ``success`` or ``reward``.
        seeds: Trained models on each side.
        episodes: That each model played.
        first: Mean of the first side.
        second: And of the second.
        difference: First minus second, with its interval: over tasks, and over seeds where there are several.
        p_value: Two-sided: McNemar's exact test for the successes of one model on each side where every task was played
            once; else of crossed effects, see ``evaluation/crossed.py``.
        detectable: Smallest difference that would have shown four times out of five; None where none, or not known.
    """

    name: str
    quantity: str
    seeds: int
    episodes: int
    first: float
    second: float
    difference: Estimate
    p_value: float
    detectable: float | None


@dataclass(frozen=True, slots=True)
class ComparedRuns:
    """What came of comparing two folders.

    Attributes:
        pairs: A comparison for each evaluation that both have, then those over seeds.
        remarks: Evaluations that one side lacks, and conditions that differ, a sentence each.
    """

    pairs: tuple[Paired, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Evaluation:
    path: Path
    results: dict[str, Any]
    records: dict[tuple[str, int], EpisodeRecord]


def compare_runs(first: Path, second: Path, confidence: float = 0.95) -> ComparedRuns:
    """Compares what two folders have in common.

    Args:
        first: A run directory, a cell or a method of a suite, or one evaluation's folder.
        second: Another one.
        confidence: Coverage of the intervals.

    Raises:
        RunDirectoryError: A folder holds no evaluation, they have none in common, or two played different tasks.
        TraceError: A file of episodes is damaged.
    """
    ours, theirs = _find(first), _find(second)
    common = [name for name in ours if name in theirs]
    if not common:
        raise RunDirectoryError(
            f"{first} and {second} have no evaluation of the same name: the first has {', '.join(ours)}, "
            f"the second {', '.join(theirs)}; name two of these folders themselves"
        )
    remarks = [f"only {first} has {name}" for name in ours if name not in theirs]
    remarks += [f"only {second} has {name}" for name in theirs if name not in ours]
    found, over_seeds = [], defaultdict[str, list[tuple[_Evaluation, _Evaluation]]](list)
    for name in common:
        pair = (_read(ours[name]), _read(theirs[name]))
        _check_same(*pair)
        remarks += _conditions(name, *pair)
        found += [_one_model(name, quantity, *pair, confidence) for quantity in _quantities(pair)]
        over_seeds[_any_seed(name)].append(pair)
    for name, pairs in over_seeds.items():
        if len(pairs) > 1 and len({frozenset(pair[0].records) for pair in pairs}) == 1:
            quantities = dict.fromkeys(quantity for pair in pairs for quantity in _quantities(pair))
            found += [_several_models(name, quantity, pairs, confidence) for quantity in quantities]
    return ComparedRuns(tuple(found), tuple(remarks))


def comparison_table(first: Path, second: Path, found: ComparedRuns, confidence: float) -> rich.table.Table:
    """A row per comparison, for the terminal."""
    table = rich.table.Table(box=rich.box.SIMPLE, title_justify="left", caption_justify="left")
    table.title = Text(f"A {printable(str(first))}\nB {printable(str(second))}")
    table.caption = Text(
        f"A − B with its {confidence:.0%} interval, in points; visible: what so many episodes show four times out of "
        "five; p: two-sided, not corrected for the number of comparisons"
    )
    table.add_column("", overflow="fold")
    for heading in ("A", "B", "A − B", "p", "visible"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found.pairs:
        name = printable(one.name) + (", reward" if one.quantity == "reward" else "")
        models = f"{one.seeds} models, " if one.seeds > 1 else ""
        table.add_row(
            Text.assemble(name, (f"\n{models}{one.episodes} episodes", "dim")),
            percent(one.first),
            percent(one.second),
            Text.assemble(points(one.difference.value), (f"\n{interval_of_points(one.difference)}", "dim")),
            p_value(one.p_value),
            UNKNOWN if one.detectable is None else f"{100 * one.detectable:.1f}",
        )
    return table


def comparison_json(first: Path, second: Path, found: ComparedRuns, confidence: float) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "first": str(first),
        "second": str(second),
        "confidence": confidence,
        "comparisons": [asdict(one) for one in found.pairs],
        "remarks": list(found.remarks),
    }


def _find(folder: Path) -> dict[str, Path]:
    """The evaluations below a folder, or the folder itself as the only one, by relative path."""
    if (folder / RESULTS).exists():
        return {EVALUATION: folder}
    paths = [path.parent for path in sorted(folder.rglob(RESULTS))]
    found = {_name(path.relative_to(folder)): path for path in paths}
    if not found:
        raise RunDirectoryError(f"{folder}: no {RESULTS} in it or below; expected a run directory or an evaluation")
    return found


def _name(path: Path) -> str:
    """A relative path without the folder that all evaluations lie in."""
    return "/".join(part for part in path.parts if part != EVALUATION)


def _read(folder: Path) -> _Evaluation:
    records = {(record.task_id, record.seed): record for record in read_records(folder / "episodes.jsonl")}
    return _Evaluation(folder, read_object(folder / RESULTS), records)


def _check_same(first: _Evaluation, second: _Evaluation) -> None:
    ours, theirs = first.records.keys(), second.records.keys()
    if ours == theirs:
        return
    said = [f"{first.path} and {second.path} played different episodes: {len(ours & theirs)} in common"]
    for evaluation, only in ((first, ours - theirs), (second, theirs - ours)):
        if only:
            task, seed = min(only)
            said.append(f"{len(only)} in {evaluation.path} alone, for example task {task!r} with seed {seed}")
    settings = {key: value for key, value in _differing(first, second).items() if key.startswith(("evaluate", "seed"))}
    said += [f"{key} is {value[0]!r} and {value[1]!r}" for key, value in settings.items()]
    raise RunDirectoryError("; ".join(said))


def _conditions(name: str, first: _Evaluation, second: _Evaluation) -> list[str]:
    return [
        f"{name}: {key} is {ours!r} in the first and {theirs!r} in the second"
        for key, (ours, theirs) in _differing(first, second).items()
        if key.rpartition(".")[2] not in _PASSING
    ]


def _differing(first: _Evaluation, second: _Evaluation) -> dict[str, tuple[Any, Any]]:
    """Conditions of two evaluations that are not the same."""
    ours, theirs = (
        _flat({key: one.results["provenance"][key] for key in ("environment", "evaluate", "seed")})
        for one in (first, second)
    )
    keys = dict.fromkeys([*ours, *theirs])
    return {key: (ours.get(key), theirs.get(key)) for key in keys if ours.get(key) != theirs.get(key)}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    return {key: one for part, inner in value.items() for key, one in _flat(inner, f"{name}.{part}".strip(".")).items()}


def _quantities(pair: tuple[_Evaluation, _Evaluation]) -> list[str]:
    """Success; and reward, where that says more."""
    graded = any(record.reward != record.success for one in pair for record in one.records.values())
    return ["success", "reward"] if graded else ["success"]


def _one_model(name: str, quantity: str, first: _Evaluation, second: _Evaluation, confidence: float) -> Paired:
    if quantity == "success":
        found = compare(list(first.records.values()), list(second.records.values()), confidence)
        assert found is not None  # they were found to have played the same episodes
        if found.test is not None:
            means = [float(np.mean([record.success for record in one.records.values()])) for one in (first, second)]
            test = found.test.p_value
            return Paired(name, quantity, 1, found.n, means[0], means[1], found.difference, test, found.detectable)
    return _several_models(name, quantity, [(first, second)], confidence)


def _several_models(
    name: str, quantity: str, pairs: Sequence[tuple[_Evaluation, _Evaluation]], confidence: float
) -> Paired:
    ours, theirs = ([list(pair[side].records.values()) for pair in pairs] for side in (0, 1))
    value = _VALUES[quantity]
    found = compare_trainings(dict(enumerate(ours)), dict(enumerate(theirs)), confidence, value)
    assert found is not None  # the pairs are numbered alike
    difference = Estimate(found.difference.value, found.difference.low, found.difference.high)
    return Paired(
        name,
        quantity,
        len(pairs),
        len(pairs[0][0].records),
        float(task_means(ours, value).mean()),
        float(task_means(theirs, value).mean()),
        difference,
        found.p_value,
        found.detectable,
    )


def _any_seed(name: str) -> str:
    """A relative path with a ``*`` in the place of a suite's seed; the amount of data stays."""
    return "/".join(re.sub(r"^\d+", "*", part) if _SEED.fullmatch(part) else part for part in name.split("/"))
