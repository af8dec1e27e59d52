"""The report of a suite: ``report.md`` and ``report.html``, from the files of its directory and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import rich.table
from markupsafe import Markup
from rich.text import Text

from spanwise.report import suite_plots, suite_tables
from spanwise.report.episodes import SideBySide, side_by_side
from spanwise.report.provenance import flat
from spanwise.report.suite_files import SuiteFiles, hours, read_suite_files
from spanwise.report.suite_tables import MethodDifference
from spanwise.report.tables import Table, markdown_escape, to_markdown, to_rich
from spanwise.report.templating import render
from spanwise.run_directory import write_atomically
from spanwise.suite.config import Suite
from spanwise.traces.view import printable

#: What a terminal of 80 columns has room for: headings of the main table, and what to call them there.
TERMINAL_COLUMNS = {
    "agent": "agent",
    "models": "models",
    "success": "success",
    "reasoning tokens / step": "reasoning tokens / step",
    "of the teacher's success": "of the teacher",
    "parameters": "size",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        title: Its heading.
        tables: Below the drawings.
        drawings: Those that are not empty are shown.
        words: What is to be known of it.
    """

    title: str
    tables: tuple[Table, ...] = ()
    drawings: tuple[Markup, ...] = ()
    words: str = ""


def write_suite_report(run: Path, suite: Suite) -> None:
    """Writes ``report.md`` and ``report.html`` into the run directory of a suite. What is missing there is named.

    Raises:
        RunDirectoryError: A file of the directory is damaged, or a report cannot be written.
        TraceError: A file of episodes, trajectories or turns is damaged.
    """
    files = read_suite_files(run, suite)
    found = {split: suite_tables.differences(files, split) for split in suite.splits}
    sections = _sections(files, found)
    sentences = suite_tables.summary_sentences(files, suite.first_split, found[suite.first_split])
    values = {
        "name": suite.name,
        "sentences": sentences,
        "missing": files.missing,
        "sections": sections,
        "episodes": _episodes(files, found[suite.first_split]),
        "provenance": _provenance(files),
        "suite": _suite_text(suite),
    }
    html = render("suite.html", files.series, values)
    for name, text in {"report.md": _markdown(files, sentences, sections), "report.html": html}.items():
        write_atomically(run / name, text)


def suite_results_table(run: Path, suite: Suite) -> rich.table.Table:
    """The main table of the first split for the terminal; raises as :func:`write_suite_report`."""
    table = to_rich(suite_tables.main_table(read_suite_files(run, suite), suite.first_split), TERMINAL_COLUMNS)
    table.title = Text(f"{printable(suite.name)}: {suite.first_split}")
    table.caption = "below each number its interval"
    return table


def _sections(files: SuiteFiles, found: dict[str, list[MethodDifference]]) -> list[Section]:
    splits, first = list(files.suite.splits), files.suite.first_split
    baseline = files.suite.baseline
    sections = [
        Section("Results", tuple(suite_tables.main_table(files, split) for split in splits)),
        Section(
            f"What differs from {baseline}",
            tuple(suite_tables.differences_table(files, split, found[split]) for split in splits),
            (suite_plots.forest(found, baseline),),
            "Same games, same training seeds. A filled mark: the difference stands after adjusting for the number of "
            "comparisons (Holm, 5%).",
        ),
    ]
    if len({(one.cell.size, one.cell.data) for one in files.students}) > 1:
        drawings = tuple(suite_plots.scaling(files, split) for split in splits)
        sections.append(Section("Size and data", (suite_tables.grid_table(files, first),), drawings))
    sections += [
        Section("Success and thinking", (), (suite_plots.pareto(files, first),), f"On {first}."),
        Section(
            "Learning",
            (),
            (suite_plots.learning(files),),
            f"Share of the teacher's tokens that a student would have chosen itself; in grey that of {baseline}.",
        ),
        Section("Thoughts and commands", (suite_tables.fidelity_table(files),)),
        Section("Types of task", tuple(suite_tables.task_table(files, split) for split in splits)),
        Section("How episodes ended", tuple(suite_tables.failures_table(files, split) for split in splits)),
    ]
    shown = (
        Section(
            one.title,
            tuple(table for table in one.tables if table.rows),
            tuple(drawing for drawing in one.drawings if drawing),
            one.words,
        )
        for one in sections
    )
    return [one for one in shown if one.tables or one.drawings]


def _episodes(files: SuiteFiles, found: Sequence[MethodDifference]) -> list[SideBySide]:
    """Teacher, baseline and the method that differs most from it, on games that tell them apart."""
    split = files.suite.first_split
    agents = [agent for name, agent in files.others[split].items() if name == "teacher"]
    furthest = max(found, key=lambda one: abs(one.found.difference.value), default=None)
    for method in (files.suite.baseline, *([] if furthest is None else [furthest.method])):
        agents += [one.evaluations[split] for one in files.of(method)[:1]]
    return side_by_side(agents) if len(agents) > 1 else []


def _markdown(files: SuiteFiles, sentences: Sequence[str], sections: Sequence[Section]) -> str:
    escape = markdown_escape
    parts = [f"# {escape(files.suite.name)}", " ".join(map(escape, sentences))]
    if files.missing:
        parts += ["## What is missing", "\n".join(f"- {escape(sentence)}" for sentence in files.missing)]
    for section in sections:
        if not section.tables:
            continue
        parts += [f"## {escape(section.title)}", escape(section.words)]
        for table in section.tables:
            meanings = "; ".join(f"{column.heading}: {column.meaning}" for column in table.columns if column.meaning)
            parts += [f"### {escape(table.title)}", to_markdown(table), escape(meanings)]
    parts += ["## What produced this", *(f"- {escape(name)}: {escape(value)}" for name, value in _provenance(files))]
    parts += ["```json", _suite_text(files.suite), "```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _provenance(files: SuiteFiles) -> list[tuple[str, str]]:
    """What made all this: the manifest of what cells share (its recipe is in the suite), and the work of the cells."""
    manifest = {name: value for name, value in files.manifest.items() if name not in ("recipe", "stages")}
    shared = sum(stage["seconds"] for stage in files.manifest.get("stages", {}).values()) / 3600
    return [
        *flat(manifest),
        ("hours, what cells share", f"{shared:.2f}"),
        ("hours, cells one after the other", f"{hours(files.students):.2f}"),
        ("trajectories to learn from", str(files.trajectories)),
    ]


def _suite_text(suite: Suite) -> str:
    return json.dumps(suite.model_dump(mode="json"), indent=2, ensure_ascii=False)
