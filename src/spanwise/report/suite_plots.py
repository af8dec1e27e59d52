"""The drawings of a suite's report: differences, size and data, success against thinking, learning curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from spanwise.evaluation.metrics import METRICS
from spanwise.evaluation.statistics import Estimate
from spanwise.evaluation.trainings import estimate_over_trainings
from spanwise.report.drawing import ACT, INK, REASON, RULE, drawing, line_of
from spanwise.report.suite_files import Student, SuiteFiles
from spanwise.report.suite_tables import MethodDifference, episodes, success
from spanwise.report.tables import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Below this adjusted p-value a difference is drawn as one.
_LEVEL = 0.05
_COLUMNS = 4


def forest(found: Mapping[str, Sequence[MethodDifference]], baseline: str) -> Markup:
    """Each method's difference from the baseline with its interval, a panel per split; filled where it is no chance."""
    splits = [split for split, differences in found.items() if differences]
    if not splits:
        return Markup("")
    names = list(dict.fromkeys(one.method for split in splits for one in found[split]))[::-1]
    with drawing(9.6, 0.8 + 0.24 * len(names)) as (figure, done):
        axes = figure.subplots(1, len(splits), squeeze=False, sharey=True)[0]
        for place, split in zip(axes, splits, strict=True):
            place.axvline(0, color=INK, linewidth=0.8)
            for one in found[split]:
                height, difference = names.index(one.method), one.found.difference
                if difference.low is not None and difference.high is not None:
                    place.plot([100 * difference.low, 100 * difference.high], [height, height], "-", color=INK)
                sure = one.adjusted < _LEVEL
                face = INK if sure else "none"
                place.plot(100 * difference.value, height, "o", color=INK, markerfacecolor=face, markersize=5)
            place.set_title(split)
            place.set_xlabel(f"points more than {baseline}")
            place.set_yticks(range(len(names)), names)
            place.set_ylim(-0.6, len(names) - 0.4)
            place.grid(axis="x")
        return done()


def scaling(files: SuiteFiles, split: str) -> Markup:
    """Success against the size of the student, and against the trajectories that it learnt from, a line per method."""
    by_size: dict[str, list[tuple[float, Estimate]]] = defaultdict(list)
    by_data: dict[str, list[tuple[float, Estimate]]] = defaultdict(list)
    confidence = files.suite.splits[split].evaluate.confidence
    for students in files.groups:
        cell = students[0].cell
        method, size, data = cell.method, cell.size, cell.data
        rate = success(students, split, confidence)
        if rate is None:
            continue
        if data == "all":
            by_size[method].append((students[0].parameters, rate))
        if size == files.suite.main_size:
            by_data[method].append((files.trajectories if data == "all" else data, rate))
    panels = [
        (points, label)
        for points, label in ((by_size, "parameters of the student"), (by_data, "trajectories learnt from"))
        if any(len(line) > 1 for line in points.values())
    ]
    if not panels:
        return Markup("")
    teacher = files.others[split].get("teacher")
    with drawing(9.6, 3.4) as (figure, done):
        axes = figure.subplots(1, 2, squeeze=False, sharey=True)[0]
        for place, (lines, label) in zip(axes, panels, strict=False):
            for method, points in lines.items():
                if len(points) > 1:
                    _line(place, sorted(points, key=lambda point: point[0]), method, files.series[method])
            if teacher is not None:
                color, _ = line_of(1)
                rate = 100 * teacher.results["success_rate"]["value"]
                place.axhline(rate, color=color, linewidth=0.9, linestyle=":", label="teacher")
            place.set_xscale("log")
            ticks = sorted({round(at) for line in lines.values() for at, _ in line})
            place.set_xticks(ticks, map(count, ticks))
            place.set_xticks([], minor=True)
            place.set_xlabel(label)
            place.set_ylim(bottom=0)
        for place in axes[len(panels) :]:
            place.set_axis_off()
        axes[0].set_title(split)
        axes[0].set_ylabel("success, %")
        handles = {line.get_label(): line for place in axes for line in place.get_legend_handles_labels()[0]}
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=6)  # pyright: ignore
        return done()


def pareto(files: SuiteFiles, split: str) -> Markup:
    """Success against REASON tokens per action: who thinks less, and wins as much."""
    confidence = files.suite.splits[split].evaluate.confidence
    thinking = METRICS["reasoning_tokens_per_step"]
    points: dict[str, tuple[Estimate, Estimate]] = {}
    trainings = {name: [agent.records] for name, agent in files.others[split].items() if name == "teacher"}
    trainings |= {method: episodes(files.of(method), split) for method in files.methods}
    for name, played in trainings.items():
        tokens = estimate_over_trainings(thinking, played, confidence)
        rate = estimate_over_trainings(METRICS["success_rate"], played, confidence)
        if tokens is not None and rate is not None:
            points[name] = (tokens, rate)
    if len(points) < 2:
        return Markup("")
    with drawing(9.6, max(3.6, 0.6 + 0.22 * len(points))) as (figure, done):
        place = figure.subplots()
        for name, (tokens, rate) in points.items():
            color, _ = line_of(files.series[name])
            _cross(place, tokens, rate, color)
        place.set_xlabel("REASON tokens per action")
        place.set_ylabel("success, %")
        place.set_ylim(bottom=0)
        place.set_xlim(left=0)
        ranked = sorted(points, key=lambda name: points[name][1].value)
        heights = _apart([100 * points[name][1].value for name in ranked], *place.get_ylim())
        for name, height in zip(ranked, heights, strict=True):
            tokens, rate = points[name]
            place.annotate(
                name,
                (tokens.value, 100 * rate.value),
                (1.02, height),
                textcoords=("axes fraction", "data"),
                va="center",
                color=INK,
                annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": RULE, "linewidth": 0.6, "shrinkB": 4},
            )
        return done()


def learning(files: SuiteFiles) -> Markup:
    """The share of tokens that students would have chosen themselves, REASON and ACT, a panel per method.

    Means over the trained models; in grey those of the baseline. Unlike losses, these are of one kind for all methods.
    """
    curves = {method: _curves(files.of(method)) for method in files.methods}
    curves = {method: one for method, one in curves.items() if any(one.values())}
    if not curves:
        return Markup("")
    rows = -(-len(curves) // _COLUMNS)
    with drawing(9.6, 0.5 + 1.6 * rows) as (figure, done):
        axes = list(figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True, sharey=True).flat)
        beside = curves.get(files.suite.baseline, {})
        for place, (method, one) in zip(axes, curves.items(), strict=False):
            for kind, color in (("reason", REASON), ("act", ACT)):
                if method != files.suite.baseline:
                    _curve(place, beside.get(kind, {}), color=INK, linewidth=0.7)
                _curve(place, one[kind], color=color, label=kind.upper())
            place.set_title(method)
        for place in axes[len(curves) :]:
            place.set_axis_off()
        shown = figure.axes[0]
        figure.supxlabel("optimizer step", color=INK, fontsize=9)
        figure.supylabel("tokens chosen alike, %", color=INK, fontsize=9)
        figure.legend(*shown.get_legend_handles_labels(), loc="outside upper left", ncols=2)  # pyright: ignore
        return done()


def _apart(heights: Sequence[float], low: float, high: float) -> list[float]:
    """Where labels of points stand in a column, from the lowest up: near their points, and none hides another."""
    gap = (high - low) * min(0.06, 1 / len(heights))
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    top = high
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], top)
        top = placed[index] - gap
    return placed


def _curves(students: Sequence[Student]) -> dict[str, dict[int, float]]:
    """Mean accuracy per kind and step."""
    found: dict[str, dict[int, float]] = {}
    for kind in ("reason", "act"):
        values: dict[int, list[float]] = defaultdict(list)
        for one in students:
            for line in one.log:
                if line.get(f"{kind}_accuracy") is not None:
                    values[line["step"]].append(line[f"{kind}_accuracy"])
        found[kind] = {step: sum(at) / len(at) for step, at in sorted(values.items())}
    return found


def _curve(place: Axes, values: Mapping[int, float], color: str, label: str = "", linewidth: float = 1.4) -> None:
    if values:
        shares = [100 * value for value in values.values()]
        place.plot(list(values), shares, color=color, linewidth=linewidth, label=label)


def _line(place: Axes, points: Sequence[tuple[float, Estimate]], label: str, series: int) -> None:
    color, style = line_of(series)
    places = [point for point, _ in points]
    place.plot(
        places, [100 * one.value for _, one in points], style, color=color, label=label, marker="o", markersize=4
    )
    for at, one in points:
        if one.low is not None and one.high is not None:
            place.plot([at, at], [100 * one.low, 100 * one.high], "-", color=color, linewidth=0.8)


def _cross(place: Axes, across: Estimate, up: Estimate, color: str) -> None:
    place.plot(across.value, 100 * up.value, "o", color=color, markersize=5)
    if across.low is not None and across.high is not None:
        place.plot([across.low, across.high], [100 * up.value] * 2, "-", color=color, linewidth=0.8)
    if up.low is not None and up.high is not None:
        place.plot([across.value] * 2, [100 * up.low, 100 * up.high], "-", color=color, linewidth=0.8)
