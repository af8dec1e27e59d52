"""Tables of how faithful models are to recorded trajectories; see ``evaluation/fidelity.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rich.box
import rich.table
from rich.text import Text

from spanwise.evaluation.fidelity import STEP_METRICS
from spanwise.evaluation.statistics import UNIT_INTERVAL, Estimate
from spanwise.report.run_files import JudgedModel, RunFiles
from spanwise.report.tables import UNKNOWN, Cell, Column, Table, count, percent
from spanwise.traces.view import printable

#: What the numbers are called in tables.
HEADINGS = {
    "action_match": "same command",
    "name_match": "same name",
    "argument_match": "same arguments",
    "argument_f1": "argument F1",
    "thought_match": "same thought",
    "thought_close": "like thought",
    "rouge_l": "thought ROUGE-L",
    "thought_f1": "thought F1",
    "thought_length_ratio": "thought length",
    "parse_failure_rate": "parse failures",
    "stopped": "stopped itself",
    "reason_nll": "REASON nats",
    "act_nll": "ACT nats",
    "reason_nll_per_character": "REASON nats / character",
    "act_nll_per_character": "ACT nats / character",
    "reason_kl": "REASON KL",
    "act_kl": "ACT KL",
}

#: What a terminal of 80 columns has room for.
TERMINAL_COLUMNS = {
    "model": "model",
    "same command": "same command",
    "thought ROUGE-L": "thought ROUGE-L",
    "REASON nats": "REASON nats",
    "ACT nats": "ACT nats",
    "parameters": "size",
}


def fidelity(run: RunFiles) -> Table:
    """How well each model does what was written in the trajectories that were held out: a row per model."""
    known = [name for name in STEP_METRICS if any(model.results["metrics"][name]["n"] for model in run.judged)]
    columns = (
        Column("model"),
        Column("steps", "of the trajectories that were held out, each judged after the true history"),
        *(Column(HEADINGS[name], STEP_METRICS[name].meaning) for name in known),
        Column("parameters", "of the model, shared ones counted once"),
    )
    rows = tuple(_row(model, known) for model in run.judged)
    notes = [
        f"Intervals: {run.recipe.evaluate.confidence:.0%}, bootstrap over tasks; n: steps that count, where not all do."
    ]
    notes += [f"{model.name}: {sentence}" for model in run.judged if (sentence := left_out(model.results))]
    return Table("Fidelity on held-out trajectories", columns, rows, tuple(notes))


def fidelity_sentences(run: RunFiles) -> list[str]:
    """The data and the outcome, in a sentence each."""
    sentences = [] if run.selection is None else [f"Data: {run.selection}."]
    for model in run.judged:
        match = model.results["metrics"]["action_match"]
        if match["n"]:
            sentences.append(
                f"After the true history, {model.name} writes the recorded command in {percent(match['value'])} of "
                f"{match['n']} steps ({_ends(match, percent)})."
            )
    return sentences


def left_out(results: Mapping[str, Any]) -> str:
    """Which steps do not count, in a sentence; empty where all do."""
    said = {
        "no_written_thought": "without a written thought",
        "no_written_command": "without a written command",
        "beyond_context": "beyond the model's context, not judged at all",
        "cut_otherwise": "that their style cuts otherwise than the trajectory, judged by the style",
    }
    counts = results["left_out"]
    parts = [f"{counts[name]} steps {words}" for name, words in said.items() if counts.get(name)]
    return f"{'; '.join(parts)}." if parts else ""


def fidelity_table(results: Mapping[str, Any]) -> rich.table.Table:
    """The content of one ``fidelity.json`` for the terminal: a row per metric."""
    shown = rich.table.Table(
        title=f"{printable(results['agent'])}: {results['steps']} steps of {results['tasks']} tasks",
        title_justify="left",
        title_style="bold",
        box=rich.box.SIMPLE,
    )
    shown.add_column("")
    for heading in ("value", f"{results['confidence']:.0%} interval", "steps", "tasks"):
        shown.add_column(heading, justify="right")
    for name, heading in HEADINGS.items():
        found = results["metrics"][name]
        if found["n"]:
            say = percent if _is_share(name) else _number
            shown.add_row(
                heading, say(found["value"]), _ends(found, say), str(found["n"]), Text(str(found["tasks"]), "dim")
            )
    shown.caption = left_out(results) or None
    return shown


def _row(model: JudgedModel, known: list[str]) -> tuple[Cell, ...]:
    cells = (step_cell(name, model.results) for name in known)
    return (Cell(model.name), Cell(str(model.results["steps"])), *cells, Cell(count(model.parameters)))


def step_cell(name: str, results: Mapping[str, Any]) -> Cell:
    """One of ``STEP_METRICS`` as a cell; ``results`` is a model's ``fidelity.json``, or a summary like it."""
    found = results["metrics"][name]
    if not found["n"]:
        return Cell(UNKNOWN)
    say = percent if _is_share(name) else _number
    detail = _ends(found, say) + ("" if found["n"] == results["steps"] else f", n {found['n']}")
    return Cell(
        say(found["value"]), detail, Estimate(found["value"], found["low"], found["high"]), share=_is_share(name)
    )


def _is_share(name: str) -> bool:
    return STEP_METRICS[name].bounds == UNIT_INTERVAL


def _ends(found: Mapping[str, Any], say: Any) -> str:
    return "no interval" if found["low"] is None else f"{say(found['low']).removesuffix('%')}–{say(found['high'])}"


def _number(value: float) -> str:
    return f"{value:.3f}"
