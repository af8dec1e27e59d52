"""What came of an import, for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from spanwise.traces.formats import FORMATS
from spanwise.traces.importing import ImportSummary
from spanwise.traces.view import printable


def summary_json(summary: ImportSummary) -> dict[str, Any]:
    """The summary as JSON values."""
    values = {one.name: getattr(summary, one.name) for one in fields(summary)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def print_summary(summary: ImportSummary, console: Console) -> None:
    """Prints formats with the evidence for them, what was kept, and what was not and why."""
    for name, count in summary.formats.most_common():
        line = Text.assemble((name, "bold"), f"  {FORMATS[name].title}: {count:,} record{'' if count == 1 else 's'}")
        console.print(line, Text(f"because of {printable(summary.evidence[name])}", style="dim"), sep="\n  ")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right")
    table.add_column()
    for count, meaning, note in _rows(summary):
        table.add_row(Text(f"{count:,}", style="bold"), Group(meaning, Text(note, style="dim")) if note else meaning)
    console.print(table)


def _rows(summary: ImportSummary) -> list[tuple[int, RenderableType, str]]:
    outcomes = ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.most_common())
    styles = ", ".join(f"{count:,} {name}" for name, count in summary.styles.most_common())
    rows: list[tuple[int, RenderableType, str]] = [
        (summary.episodes, f"episodes in {summary.records:,} records", ""),
        (summary.kept, f"trajectories kept: {outcomes or 'none'}", f"styles: {styles}" if styles else ""),
        (summary.steps, "steps", ""),
        (summary.no_thought, "of them without a thought", ""),
        (summary.think_only, "of them nothing but a thought", ""),
        (summary.no_action, "of them without a command", ""),
    ]
    if summary.made_up:
        rows.append((summary.made_up, "completions that made up an observation", "cut there, or not learnt"))
    if summary.unsupervised:
        rows.append((summary.unsupervised, "steps that are read and not learnt", ""))
    for what, counter in (("record not read", summary.failures), ("episode left out", summary.dropped)):
        for reason, count in counter.most_common():
            places = ", ".join(map(printable, summary.examples[reason][:3]))
            label = Text(f"{what if count == 1 else what.replace(' ', 's ', 1)}: {printable(reason)}", style="yellow")
            rows.append((count, label, f"for example {places}"))
    return rows
