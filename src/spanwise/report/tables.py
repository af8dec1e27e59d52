"""The report's tables, as data: built once, rendered as HTML, Markdown and for the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rich.box
import rich.table
from rich.text import Text

from spanwise.evaluation.comparison import Comparison, compare
from spanwise.evaluation.metrics import METRICS
from spanwise.evaluation.statistics import Estimate
from spanwise.report.run_files import EvaluatedAgent, RunFiles
from spanwise.traces.view import printable

UNKNOWN = "—"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell.

    Attributes:
        text: What it says.
        detail: Smaller print below (an interval); may be empty.
        estimate: The unrounded numbers behind it, if it is an estimate.
        share: Whether the estimate is a share between 0 and 1, which is also drawn as a mark on a scale.
        shade: How dark its ground is, from 0 to 1; None: it has none of its own.
    """

    text: str
    detail: str = ""
    estimate: Estimate | None = None
    share: bool = False
    shade: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and what it means in words (empty where the heading says it)."""

    heading: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; the first cell of a row is its heading."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def headline(run: RunFiles) -> Table:
    """Who played how well, at what cost: a row per agent."""
    teacher = run.teacher()
    columns = (
        Column("agent"),
        Column("episodes", "played; the same tasks and seeds for every agent, unless a note says otherwise"),
        *map(metric_column, METRICS),
        Column("parameters", "of the model, shared ones counted once"),
        Column("compression", "the teacher's parameters over the agent's"),
        Column("of the teacher's success", "the agent's success rate over the teacher's"),
    )
    rows = tuple(_headline_row(agent, teacher) for agent in run.agents)
    confidence = run.recipe.evaluate.confidence
    notes = [f"Intervals: {confidence:.0%}; Wilson for shares of episodes, bootstrap over tasks for all other numbers."]
    if len({frozenset((record.task_id, record.seed) for record in agent.records) for agent in run.agents}) > 1:
        notes.append(
            "The agents did not all play the same episodes: only the paired differences compare like with like."
        )
    for name in METRICS:
        agents_of_reason: dict[str, list[str]] = {}
        for agent in run.agents:
            if reason := agent.results["unknown"].get(name):
                agents_of_reason.setdefault(reason, []).append(agent.name)
        notes += [
            f"{_HEADINGS[name].capitalize()} of {', '.join(agents)}: {reason}."
            for reason, agents in agents_of_reason.items()
        ]
    for agent in run.agents:
        crashed = agent.results["stop_reasons"].get("error", 0)
        if crashed:
            notes.append(f"{agent.name}: {crashed} of {agent.results['n']} episodes crashed; they count as failures.")
    return Table("Results", columns, rows, tuple(notes))


def by_task_type(run: RunFiles) -> Table:
    """Success for each type of task: a row per type, a column per agent."""
    types = sorted({name for agent in run.agents for name in agent.results["by_task_type"]})
    rows = []
    for name in types:
        found = [agent.results["by_task_type"].get(name) for agent in run.agents]
        counts = sorted({result["n"] for result in found if result is not None})
        cells = (Cell(UNKNOWN) if result is None else share_cell(result["success_rate"]) for result in found)
        rows.append((Cell(name or "(none)"), Cell(" / ".join(map(str, counts))), *cells))
    columns = (Column("task type"), Column("episodes"), *(Column(agent.name) for agent in run.agents))
    return Table("Success by type of task", columns, tuple(rows))


def stop_reasons(run: RunFiles) -> Table:
    """Why episodes ended: a row per agent, a column per reason."""
    reasons = sorted({reason for agent in run.agents for reason in agent.results["stop_reasons"]})
    rows = tuple(
        (Cell(agent.name), *(Cell(str(agent.results["stop_reasons"].get(reason, 0))) for reason in reasons))
        for agent in run.agents
    )
    return Table("Why episodes ended", (Column("agent"), *(Column(reason) for reason in reasons)), rows)


def comparisons(run: RunFiles) -> Table:
    """Paired differences in success: SAD students against the others, then every student against the teacher."""
    confidence = run.recipe.evaluate.confidence
    rows = []
    notes = ["Same tasks, same seeds. p: McNemar's exact test, not corrected for the number of comparisons."]
    for first, second in _pairs(run):
        found = compare(first.records, second.records, confidence)
        rows.append(_comparison_row(first, second, found))
        if found is not None and found.unmatched:
            notes.append(
                f"{first.name} − {second.name}: {found.unmatched} episodes that only one of them played left out."
            )
    columns = (
        Column("comparison"),
        Column("episodes", "played by both"),
        Column(
            "difference in success, points",
            f"percentage points, with its {confidence:.0%} interval (bootstrap over tasks)",
        ),
        Column("only the first", "episodes that only the first solved"),
        Column("only the second", "episodes that only the second solved"),
        Column("p"),
        Column("detectable, points", "the smallest difference that so many episodes show four times out of five"),
    )
    return Table("Differences on the same tasks", columns, tuple(rows), tuple(notes))


def summary_sentences(run: RunFiles) -> list[str]:
    """The outcome in a sentence per agent that matters: the teacher, then each student."""
    teacher = run.teacher()
    sentences = []
    if teacher is not None:
        rate = teacher.results["success_rate"]
        sentences.append(
            f"The teacher solved {percent(rate['value'])} of {teacher.results['n']} tasks ({_interval_of_share(rate)})."
        )
    for agent in run.agents:
        if agent.role != "student":
            continue
        rate = agent.results["success_rate"]
        sentence = f"The {agent.name} student solved {percent(rate['value'])} ({_interval_of_share(rate)})"
        compression, retained = _compression(agent, teacher), _retained(agent, teacher)
        if retained is not None:
            sentence += f", {percent(retained)} of the teacher's rate"
        if compression is not None and compression > 1:
            sentence += f", with {compression:.1f}× fewer parameters"
        sentences.append(sentence + ".")
    return sentences


def to_markdown(table: Table) -> str:
    """A GitHub table, its notes below."""
    lines = [_markdown_row(column.heading for column in table.columns)]
    lines.append(_markdown_row([":--", *("--:" for _ in table.columns[1:])]))
    lines += [_markdown_row(_in_one_line(cell) for cell in row) for row in table.rows]
    return "\n".join(lines) + "".join(f"\n\n{markdown_escape(note)}" for note in table.notes)


def to_rich(table: Table, headings: Mapping[str, str]) -> rich.table.Table:
    """The table for the terminal: the columns whose headings are given, under what they are called there."""
    chosen = [index for index, column in enumerate(table.columns) if column.heading in headings]
    shown = rich.table.Table(title=table.title, title_justify="left", title_style="bold", box=rich.box.SIMPLE)
    for index in chosen:
        heading = Text(headings[table.columns[index].heading])
        shown.add_column(heading, justify="right" if index else "left", overflow="fold")
    for row in table.rows:
        cells = (row[index] for index in chosen)
        shown.add_row(*(Text.assemble(printable(cell.text), (f"\n{cell.detail}", "dim")) for cell in cells))
    return shown


def results_table(results: Mapping[str, Any]) -> rich.table.Table:
    """The content of one ``results.json`` for the terminal: a row per metric, for all tasks and per task type."""
    parts = {f"all ({results['n']})": results}
    parts |= {f"{name} ({part['n']})": part for name, part in results["by_task_type"].items()}
    title = f"{printable(results['agent'])}, {results['confidence']:.0%} intervals"
    shown = rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE, padding=(0, 0))
    shown.add_column("tasks (episodes)", overflow="fold")
    for heading in _HEADINGS.values():
        shown.add_column(heading, justify="right", overflow="fold")
    for name, part in parts.items():
        cells = [metric_cell(metric, part[metric]) for metric in _HEADINGS]
        shown.add_row(printable(name), *(Text.assemble(cell.text, (f"\n{cell.detail}", "dim")) for cell in cells))
    return shown


_HEADINGS = {
    "success_rate": "success",
    "reward": "reward",
    "steps": "steps",
    "reasoning_tokens_per_step": "reasoning tokens / step",
    "tokens_per_step": "tokens / step",
    "parse_failure_rate": "parse failures",
    "invalid_action_rate": "invalid actions",
    "loop_rate": "loops",
    "seconds_per_step": "ms / step",
}
#: Told in thousandths of their unit, in the table.
_THOUSANDTHS = frozenset({"seconds_per_step"})
_ENDS = ("value", "low", "high")
_SHARES = frozenset({"success_rate", "parse_failure_rate", "invalid_action_rate", "loop_rate"})


def metric_column(name: str) -> Column:
    """The column of one of ``METRICS``."""
    return Column(_HEADINGS[name], METRICS[name].meaning)


def metric_cell(name: str, result: Mapping[str, Any]) -> Cell:
    """One of ``METRICS`` as a cell; ``result`` has ``value``, ``low`` and ``high``, None where they are not known."""
    if name in _SHARES:
        return share_cell(result, drawn=name == "success_rate")
    return _number(result, scale=1000 if name in _THOUSANDTHS else 1)


def _headline_row(agent: EvaluatedAgent, teacher: EvaluatedAgent | None) -> tuple[Cell, ...]:
    results = agent.results
    metrics = (metric_cell(name, results[name]) for name in METRICS)
    compression, retained = _compression(agent, teacher), _retained(agent, teacher)
    return (
        Cell(agent.name, detail=agent.role if agent.role == "student" else ""),
        Cell(str(results["n"])),
        *metrics,
        Cell(UNKNOWN if agent.parameters is None else count(agent.parameters)),
        Cell(UNKNOWN if compression is None else f"{compression:.1f}×"),
        Cell(UNKNOWN if retained is None else percent(retained)),
    )


def _comparison_row(first: EvaluatedAgent, second: EvaluatedAgent, found: Comparison | None) -> tuple[Cell, ...]:
    name = Cell(f"{first.name} − {second.name}")
    if found is None:
        return (name, Cell("0"), *(Cell(UNKNOWN) for _ in range(5)))
    difference, test = found.difference, found.test
    return (
        name,
        Cell(str(found.n)),
        Cell(points(difference.value), interval_of_points(difference), difference),
        Cell(UNKNOWN if test is None else str(test.only_first)),
        Cell(UNKNOWN if test is None else str(test.only_second)),
        Cell(UNKNOWN if test is None else p_value(test.p_value)),
        Cell("none" if found.detectable is None else f"{100 * found.detectable:.1f}"),
    )


def _pairs(run: RunFiles) -> list[tuple[EvaluatedAgent, EvaluatedAgent]]:
    students = [agent for agent in run.agents if agent.role == "student"]
    ours = [agent for agent in students if agent.method == "sad"]
    pairs = [(first, second) for first in ours for second in students if second.method != "sad"]
    teacher = run.teacher()
    return pairs + [(student, teacher) for student in students if teacher is not None]


def _compression(agent: EvaluatedAgent, teacher: EvaluatedAgent | None) -> float | None:
    if teacher is None or not teacher.parameters or not agent.parameters:
        return None
    return teacher.parameters / agent.parameters


def _retained(agent: EvaluatedAgent, teacher: EvaluatedAgent | None) -> float | None:
    if teacher is None or agent.role == "expert" or not teacher.results["success_rate"]["value"]:
        return None
    return agent.results["success_rate"]["value"] / teacher.results["success_rate"]["value"]


def share_cell(result: Mapping[str, Any], drawn: bool = True) -> Cell:
    """A share with its interval; ``drawn``: also as a mark on a scale."""
    if result["value"] is None:
        return Cell(UNKNOWN)
    interval = "" if result["low"] is None else _interval_of_share(result).removesuffix("%")
    return Cell(percent(result["value"]), interval, Estimate(**result), share=drawn)


def _number(result: Mapping[str, Any], scale: float = 1) -> Cell:
    if result["value"] is None:
        return Cell(UNKNOWN)
    decimals = _decimals(scale * result["value"])
    value, low, high = ("" if end is None else f"{scale * end:.{decimals}f}" for end in map(result.get, _ENDS))
    return Cell(value, f"{low}–{high}" if low else "", Estimate(**result))


def _interval_of_share(result: Mapping[str, Any]) -> str:
    if result["low"] is None:
        return "no interval"
    return f"{percent(result['low']).removesuffix('%')}–{percent(result['high'])}"


def percent(share: float) -> str:
    """A share with one decimal."""
    return f"{100 * share:.1f}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def interval_of_points(difference: Estimate) -> str:
    """The ends of an interval of a difference of shares; empty where there is none."""
    if difference.low is None or difference.high is None:
        return ""
    return f"{points(difference.low)} … {points(difference.high)}"


def _decimals(number: float) -> int:
    """How many decimals show three significant digits, without exponents."""
    return 2 if number == 0 else min(max(2 - math.floor(math.log10(abs(number))), 0), 6)


def count(number: int) -> str:
    """A large number in three digits."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def p_value(p: float) -> str:
    """A probability as tables tell it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _in_one_line(cell: Cell) -> str:
    return f"{cell.text} ({cell.detail})" if cell.detail else cell.text


def _markdown_row(cells: Any) -> str:
    return "| " + " | ".join(markdown_escape(cell) for cell in cells) + " |"


def markdown_escape(text: str) -> str:
    """Text that Markdown shows as it is, within a table's cell too."""
    text = re.sub(r"([\\`*\[\]<>|])", r"\\\1", printable(text))
    # An underscore within a word is one; at its edge it would begin emphasis.
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", text)
    return " ".join(text.splitlines())
