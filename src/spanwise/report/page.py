"""The report of a run: ``report.md`` and ``report.html``, from the files of its directory and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich.table
from rich.text import Text

from spanwise.config import Recipe
from spanwise.report import fidelity_tables, tables
from spanwise.report.episodes import side_by_side
from spanwise.report.plots import training_curves
from spanwise.report.provenance import flat
from spanwise.report.run_files import EvaluatedAgent, JudgedModel, RunFiles, read_run
from spanwise.report.templating import render
from spanwise.run_directory import write_atomically
from spanwise.traces.view import printable

#: What a terminal of 80 columns has room for: headings of the headline table, and what to call them there.
TERMINAL_COLUMNS = {
    "agent": "agent",
    "success": "success",
    "steps": "steps",
    "reasoning tokens / step": "reasoning tokens / step",
    "parameters": "size",
    "compression": "smaller",
    "of the teacher's success": "of the teacher",
}


def write_report(run: Path, recipe: Recipe) -> None:
    """Writes ``report.md`` and ``report.html`` into a run directory. What is missing there is named in the report.

    The page is one file: no script, no address, styles and drawings inlined, for light and dark. The same files give
    the same bytes.

    Raises:
        RunDirectoryError: The directory does not exist, a file of it is damaged, or a report cannot be written.
        TraceError: A file of episodes or trajectories is damaged.
    """
    files = read_run(run, recipe)
    html, markdown = _html(files), _markdown(files)
    for name, text in {"report.md": markdown, "report.html": html}.items():
        write_atomically(run / name, text)


def results_table(run: Path, recipe: Recipe) -> rich.table.Table:
    """The headline table for the terminal.

    Raises:
        RunDirectoryError: The directory does not exist, or a file of it is damaged.
        TraceError: A file of episodes is damaged.
    """
    files = read_run(run, recipe)
    if recipe.data is not None:
        return _judged_table(files)
    table = tables.to_rich(tables.headline(files), TERMINAL_COLUMNS)
    counts = sorted({agent.results["n"] for agent in files.agents})
    episodes = f"{' / '.join(map(str, counts)) or 'no'} episodes of {recipe.evaluate.split}"
    table.title = Text(f"{printable(recipe.name)}: {episodes}")
    table.caption = f"below each number its {recipe.evaluate.confidence:.0%} interval"
    return table


def _judged_table(files: RunFiles) -> rich.table.Table:
    table = tables.to_rich(fidelity_tables.fidelity(files), fidelity_tables.TERMINAL_COLUMNS)
    counts = sorted({model.results["steps"] for model in files.judged})
    steps = f"{' / '.join(map(str, counts)) or 'no'} steps of held-out trajectories"
    table.title = Text(f"{printable(files.recipe.name)}: {steps}")
    table.caption = f"below each number its {files.recipe.evaluate.confidence:.0%} interval"
    return table


def _html(files: RunFiles) -> str:
    shown = [agent for agent in files.agents if agent.role != "expert"] or files.agents
    values = {
        "name": files.recipe.name,
        "sentences": _sentences(files),
        "missing": files.missing,
        "tables": _tables(files),
        "curves": training_curves(files.logs),
        "episodes": side_by_side(shown),
        "provenance": _provenance(files),
        "recipe": _recipe_text(files.recipe),
    }
    return render("report.html", files.series, values)


def _markdown(files: RunFiles) -> str:
    escape = tables.markdown_escape
    parts = [f"# {escape(files.recipe.name)}", " ".join(map(escape, _sentences(files)))]
    if files.missing:
        parts += ["## What is missing", "\n".join(f"- {escape(sentence)}" for sentence in files.missing)]
    for table in _tables(files):
        meanings = "; ".join(f"{column.heading}: {column.meaning}" for column in table.columns if column.meaning)
        parts += [f"## {table.title}", tables.to_markdown(table), escape(meanings)]
    parts += ["## What produced this", *(f"- {escape(name)}: {escape(value)}" for name, value in _provenance(files))]
    parts += ["```json", _recipe_text(files.recipe), "```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sentences(files: RunFiles) -> list[str]:
    return [*tables.summary_sentences(files), *fidelity_tables.fidelity_sentences(files)]


def _tables(files: RunFiles) -> list[tables.Table]:
    made = [make(files) for make in (tables.headline, tables.comparisons, tables.by_task_type, tables.stop_reasons)]
    judged = [fidelity_tables.fidelity(files)] if files.judged else []
    return [table for table in made if table.rows] + judged


def _recipe_text(recipe: Recipe) -> str:
    return json.dumps(recipe.model_dump(mode="json"), indent=2, ensure_ascii=False)


def _provenance(files: RunFiles) -> list[tuple[str, str]]:
    """Names and values: of the manifest (the recipe is shown whole elsewhere), then of each agent's evaluation."""
    manifest = {name: value for name, value in files.manifest.items() if name != "recipe"}
    return (
        flat(manifest)
        + [(f"evaluation of {agent.name}", _conditions(agent, files.path)) for agent in files.agents]
        + [(f"fidelity of {model.name}", _judged_conditions(model, files.path)) for model in files.judged]
    )


def _conditions(agent: EvaluatedAgent, run: Path) -> str:
    """Under which conditions an agent was evaluated, in a line."""
    provenance = agent.results["provenance"]
    model, settings, machine = provenance["model"], provenance["evaluate"], provenance["machine"]
    facts = [
        f"{settings['split']}, {agent.results['n']} episodes, seed {provenance['seed']}",
        f"temperature {settings['temperature']:g}, {settings['concurrency']} in lock-step",
        f"{machine['platform']}, {machine['cores']} cores",
    ]
    if model is not None:
        facts.append(_identity(model, run))
    return " · ".join(facts)


def _judged_conditions(model: JudgedModel, run: Path) -> str:
    """The same of a model that was judged on held-out trajectories."""
    provenance = model.results["provenance"]
    settings, machine, teacher = provenance["settings"], provenance["machine"], provenance["teacher"]
    facts = [
        f"{model.results['trajectories']} trajectories of {model.results['tasks']} tasks",
        f"greedy, up to {settings['max_new_tokens']} tokens, {settings['rendering']}",
        f"{machine['platform']}, {machine['cores']} cores",
        _identity(provenance["model"], run),
    ]
    return " · ".join(facts if teacher is None else [*facts, f"teacher {_identity(teacher, run)}"])


def _identity(model: Mapping[str, Any], run: Path) -> str:
    folder = Path(model["path"])
    place = folder.relative_to(run).as_posix() if folder.is_relative_to(run) else str(folder)
    return f"{place}, sha256 {model['sha256'][:12]}"
