"""Trajectories for people: REASON blue, ACT red, context dim; in the terminal, and as an HTML fragment.

The kinds are also named in words or by class, so nothing depends on colour alone. What a model wrote is data: markup
is escaped, and control characters (a terminal would obey them) are shown as their escapes.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from spanwise.errors import TraceError
from spanwise.traces.jsonl import read_trajectories
from spanwise.types import SUPERVISED_KINDS, SpanKind, Step, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

STYLE_OF_KIND = {SpanKind.CONTEXT: "dim", SpanKind.REASON: "blue", SpanKind.ACT: "red"}
NAME_OF_KIND = {SpanKind.CONTEXT: "context", SpanKind.REASON: "reason", SpanKind.ACT: "act"}

#: Trajectories listed below the one that is shown.
LISTED = 20

#: Control characters but tab and line feed, lone surrogates, and Unicode's bidirectional embeddings, overrides and
#: isolates: with those a text can look like another one.
_UNPRINTABLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\u202a-\\u202e\\u2066-\\u2069]")


def show(
    path: Path, console: Console, trajectory_id: str | None = None, tokenizer: PreTrainedTokenizerBase | None = None
) -> None:
    """Prints one trajectory of a file: the one asked for, or the first, with a list of the next ones.

    Args:
        path: A file of trajectories.
        console: Where to print.
        trajectory_id: Which one: its id, or as much of it as no other begins with; None for the first.
        tokenizer: If given, tokens are counted per kind.

    Raises:
        TraceError: The file cannot be read, is empty, or holds not exactly one such trajectory (the message
            names the nearest ids).
    """
    trajectories = read_trajectories(path)
    if trajectory_id is not None:
        shown = find(path, trajectories, trajectory_id)
    elif (shown := next(trajectories, None)) is None:
        raise TraceError(f"{path}: holds no trajectory")
    render_terminal(shown, console, None if tokenizer is None else _count_tokens(shown, tokenizer))
    if trajectory_id is None:
        _render_others(path, trajectories, console)


def render_terminal(trajectory: Trajectory, console: Console, tokens: Mapping[SpanKind, int] | None = None) -> None:
    """Prints a trajectory turn by turn.

    Args:
        trajectory: What to show.
        console: Where to print.
        tokens: How many tokens of each kind were written, if known; words are not tokens, so otherwise none is shown.
    """
    console.print(Rule(Text(printable(trajectory.id), style="bold"), align="left", style="dim"))
    console.print(_headline(trajectory))
    if tokens is not None:
        counts = ", ".join(f"{tokens[kind]} {NAME_OF_KIND[kind]}" for kind in SUPERVISED_KINDS)
        console.print(Text(f"tokens written: {counts}", style="dim"))
    console.print()
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right", style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for kind, text, wrong in _rows(trajectory):
        label = Text(NAME_OF_KIND[kind], style=STYLE_OF_KIND[kind])
        body = Text(printable(text.strip("\n")), style=STYLE_OF_KIND[kind])
        if wrong:
            body.append(f"  ({wrong})", style="yellow")
        grid.add_row(label, body)
    console.print(grid)


def render_list(trajectories: Iterable[Trajectory], console: Console) -> None:
    """Prints a line per trajectory: who played, how it went, the task in words, the id."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("agent")
    table.add_column("outcome")
    table.add_column("turns", justify="right")
    table.add_column("task", overflow="fold")
    table.add_column("id", overflow="fold", style="dim")
    for trajectory in trajectories:
        table.add_row(
            Text(printable(trajectory.agent)),
            _outcome(trajectory),
            str(len(trajectory.steps)),
            Text(printable(trajectory.task)),
            Text(printable(trajectory.id)),
        )
    console.print(table)


def context_html(text: str) -> Markup:
    """What the environment said, as HTML; everything is escaped."""
    return Markup('<div class="context">{}</div>').format(printable(text.strip("\n")))


def completion_html(step: Step) -> Markup:
    """What the agent wrote in one turn, as HTML: a ``<span>`` per span, classed ``reason`` or ``act``; all escaped.

    What went wrong in the turn follows in a ``<span class="remark">``.
    """
    spans = Markup("").join(
        Markup('<span class="{}">{}</span>').format(
            NAME_OF_KIND[span.kind], printable(step.completion[span.start : span.end])
        )
        for span in step.spans
    )
    wrong = remark(step)
    note = Markup(' <span class="remark">{}</span>').format(wrong) if wrong else Markup("")
    return Markup('<div class="completion">{}{}</div>').format(spans, note)


def find(path: Path, trajectories: Iterator[Trajectory], trajectory_id: str) -> Trajectory:
    """The trajectory with this id, or else the only one whose id begins so.

    Raises:
        TraceError: There is none, or more than one; the message names the nearest ids.
    """
    ids: list[str] = []
    beginning: list[Trajectory] = []
    for trajectory in trajectories:
        if trajectory.id == trajectory_id:
            return trajectory
        ids.append(trajectory.id)
        if trajectory.id.startswith(trajectory_id):
            beginning.append(trajectory)
    if len(beginning) == 1:
        return beginning[0]
    if beginning:
        examples = ", ".join(trajectory.id for trajectory in beginning[:3])
        raise TraceError(f"{path}: {len(beginning)} ids begin with {trajectory_id!r}, for example: {examples}")
    near = difflib.get_close_matches(trajectory_id, ids, n=3, cutoff=0.3) or ids[:3]
    raise TraceError(f"{path}: no id {trajectory_id!r} among {len(ids)}; there are, for example: {', '.join(near)}")


def remark(step: Step) -> str | None:
    """What went wrong in a turn, in two words; None if nothing did."""
    if step.action is None:
        return "no action"
    return "refused" if step.valid is False else None


def _count_tokens(trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase) -> Mapping[SpanKind, int]:
    # Counting needs the tokenising half of the package; showing alone does not.
    from spanwise.evaluation.tokens import count_tokens

    return count_tokens(trajectory, tokenizer)


def _render_others(path: Path, trajectories: Iterator[Trajectory], console: Console) -> None:
    listed = list(itertools.islice(trajectories, LISTED))
    if not listed:
        return
    console.print()
    render_list(listed, console)
    total = 1 + len(listed) + sum(1 for _ in trajectories)
    console.print(Text(f"{total} trajectories in {path}; show another with --id ID", style="dim"))


def _rows(trajectory: Trajectory) -> Iterator[tuple[SpanKind, str, str | None]]:
    """What to print, in order: kind, text, and a remark on it."""
    for step in trajectory.steps:
        yield SpanKind.CONTEXT, step.observation, None
        for index, span in enumerate(step.spans):
            is_last = index == len(step.spans) - 1
            yield span.kind, step.completion[span.start : span.end], remark(step) if is_last else None
        if not step.spans:
            yield SpanKind.REASON, "", remark(step) or "empty completion"
    if trajectory.final_observation is not None:
        yield SpanKind.CONTEXT, trajectory.final_observation, None


def _headline(trajectory: Trajectory) -> Text:
    recorded = trajectory.agent != "unknown"  # few logs of other people's agents tell it
    facts = [trajectory.agent, f"seed {trajectory.seed}"] if recorded else []
    facts += [] if trajectory.reward is None else [f"reward {trajectory.reward:g}"]
    facts.append(f"{len(trajectory.steps)} turn{'' if len(trajectory.steps) == 1 else 's'}")
    return Text.assemble(
        Text(printable(trajectory.task.strip()) + "\n"), _outcome(trajectory), f"  {printable(' · '.join(facts))}"
    )


def _outcome(trajectory: Trajectory) -> Text:
    if trajectory.success is None:
        return Text("outcome unknown", style="dim")
    if trajectory.success:
        return Text("success", style="green")
    return Text(f"failed ({printable(trajectory.stop_reason)})", style="yellow")


def printable(text: str) -> str:
    """The text with what a terminal or a page would obey or refuse written as escapes, like ``\\x1b``.

    Those are control characters (but line feed and tab), lone surrogates, and marks that reorder text.
    """
    return _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], text)
