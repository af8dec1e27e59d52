"""The command line's verbs for files of trajectories: from logs, to other shapes, checked, shown, judged by."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from spanwise.errors import ConfigError, ModelError, TraceError
from spanwise.progress import ProgressWatcher, progress_bar

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from spanwise.types import Trajectory


def import_(
    logs: Annotated[list[Path], typer.Argument(help="Files of logs: .json, .jsonl, .txt, .ipynb; .gz too.")],
    out: Annotated[Path, typer.Option(help="The file of trajectories to write: JSON lines, .gz too.")],
    format: Annotated[
        str | None,
        typer.Option(help="Read every record so; default: each tells its own (spanwise formats lists them)."),
    ] = None,
    made_up: Annotated[
        Literal["cut", "drop"],
        typer.Option(help="Where an agent made up an observation: cut its text there, or do not learn the step."),
    ] = "cut",
    only: Annotated[
        Literal["successful"] | None, typer.Option(help="Leave out what was not won, or not known to be.")
    ] = None,
    min_reward: Annotated[float | None, typer.Option(help="Leave out lower rewards, and unknown ones.")] = None,
    min_steps: Annotated[int, typer.Option(min=1, help="Leave out shorter trajectories.")] = 1,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Leave out longer ones.")] = None,
    max_characters: Annotated[int | None, typer.Option(min=1, help="Leave out those with more text.")] = None,
    deduplicate: Annotated[
        bool, typer.Option("--deduplicate", help="Keep one of those that are equal, word for word.")
    ] = False,
    system: Annotated[bool, typer.Option(help="Keep instructions and examples that stood before the task.")] = True,
    held_out: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the tasks that go to a second file, OUT with .held_out.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the choice of held-out tasks.")] = 0,
    summary_file: Annotated[
        Path | None, typer.Option("--json", help="Write the summary to this file too; - prints it instead.")
    ] = None,
) -> None:
    """Turn logs of any known format into trajectories whose completions are cut into REASON and ACT."""
    from spanwise.run_directory import write_atomically
    from spanwise.traces.import_view import print_summary, summary_json
    from spanwise.traces.importing import ImportOptions, ImportSummary, import_traces
    from spanwise.traces.jsonl import LineWriter, trajectory_to_json
    from spanwise.traces.splits import is_held_out

    options = ImportOptions(
        format=format,
        made_up=made_up,
        only_successful=only == "successful",
        min_reward=min_reward,
        min_steps=min_steps,
        max_steps=max_steps,
        max_characters=max_characters,
        deduplicate=deduplicate,
        keep_system=system,
    )
    other = _beside(out, "held_out")
    for option, path in {"--out": out, "--held-out": other, "--json": summary_file}.items():
        if path is not None and any(log.resolve() == path.resolve() for log in logs):
            raise ConfigError(f"{path}: {option} would overwrite a log; expected another file")
    summary = ImportSummary()
    kept_apart = 0
    with ExitStack() as files:
        progress = files.enter_context(_bytes_read(logs))
        learnt = files.enter_context(LineWriter(out))
        apart = files.enter_context(LineWriter(other)) if held_out else None
        for trajectory in import_traces(logs, options, summary, progress):
            if apart is not None and is_held_out(trajectory.task_id, held_out, seed):
                apart.write(trajectory_to_json(trajectory))
                kept_apart += 1
            else:
                learnt.write(trajectory_to_json(trajectory))
        if not summary.kept:
            raise TraceError(_nothing(summary.failures + summary.dropped, logs))
    if summary_file is not None and str(summary_file) != "-":
        write_atomically(summary_file, json.dumps(summary_json(summary), indent=2) + "\n")
    if str(summary_file) == "-":
        print(json.dumps(summary_json(summary), indent=2))
        return
    print_summary(summary, Console())
    print(f"trajectories: {out}: {summary.kept - kept_apart:,}")
    if apart is not None:
        print(f"held out: {other}: {kept_apart:,}, of other tasks")


def export(
    trajectories: Annotated[Path, typer.Argument(help="A file of trajectories (JSON lines, also .gz).")],
    to: Annotated[
        Literal["messages", "sharegpt", "react"],
        typer.Option(help="OpenAI's messages with tools, ShareGPT's conversations, or numbered ReAct text."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write: JSON lines, .gz too.")],
) -> None:
    """Write trajectories in the shape that another trainer reads."""
    from spanwise.traces.export import export_trajectories
    from spanwise.traces.jsonl import read_trajectories

    if out.resolve() == trajectories.resolve():
        raise ConfigError(f"{out}: --out would overwrite the trajectories; expected another file")
    print(f"{to}: {out}: {export_trajectories(out, read_trajectories(trajectories), to):,}")


def formats() -> None:
    """List the formats that import knows, in the order in which it tries them."""
    from spanwise.traces.formats import FORMATS

    for name, one in FORMATS.items():
        print(f"{name:20}{one.title}")


def show(
    trajectories: Annotated[Path, typer.Argument(help="A file of trajectories (JSON lines, also .gz).")],
    id: Annotated[str | None, typer.Option(help="Id of the trajectory, or its beginning.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page of all trajectories (or the one of --id) to this file.")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="A model folder or hub name: count tokens; the page shows where they begin.")
    ] = None,
    rendering: Annotated[Literal["plain", "chat"], typer.Option(help="How a page with tokens joins turns.")] = "plain",
    limit: Annotated[int | None, typer.Option(min=1, help="Trajectories that the page shall hold at most.")] = None,
) -> None:
    """Show a trajectory, or a page of all: REASON blue, ACT red, context dim."""
    reads_with = None
    if tokenizer is not None:
        from spanwise.training.models import load_tokenizer

        reads_with = load_tokenizer(tokenizer)
    if html is not None:
        _show_html(trajectories, html, id, reads_with, rendering, limit)
        return
    if limit is not None or rendering != "plain":
        raise ConfigError("--limit and --rendering are for pages: expected --html too")
    from spanwise.traces.view import show as show_trajectory

    show_trajectory(trajectories, Console(), id, reads_with)


def _show_html(
    path: Path,
    page: Path,
    id: str | None,
    tokenizer: PreTrainedTokenizerBase | None,
    rendering: Literal["plain", "chat"],
    limit: int | None,
) -> None:
    from spanwise.data.render import make_rendering
    from spanwise.traces.jsonl import read_trajectories
    from spanwise.traces.page import HEAVY, Tokens, write_page
    from spanwise.traces.view import find

    if tokenizer is None and rendering != "plain":
        raise ConfigError(f"--rendering {rendering} is about tokens: expected --tokenizer too")
    if page.resolve() == path.resolve():
        raise ConfigError(f"{page}: --html would overwrite the trajectories; expected another file")
    tokens = None if tokenizer is None else Tokens(tokenizer, make_rendering(rendering, tokenizer))
    shown = read_trajectories(path)
    if id is not None:
        shown = iter([find(path, shown, id)])
    written = write_page(page, shown, path.name, tokens, limit)
    print(f"page: {page}: {written.trajectories:,} trajectories, {written.size / 1e6:.1f} MB")
    if written.size > HEAVY:
        print(f"spanwise: {page} may open slowly; --limit N writes the first N trajectories only", file=sys.stderr)


def audit(
    trajectories: Annotated[Path, typer.Argument(help="A file of trajectories (JSON lines, also .gz).")],
    tokenizer: Annotated[
        str | None, typer.Option(help="The student's model folder or hub name; without it only text is checked.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(help="Likewise the teacher's: its vocabulary must be the same.")
    ] = None,
    rendering: Annotated[Literal["plain", "chat"], typer.Option(help="How turns are joined for training.")] = "plain",
    max_length: Annotated[int | None, typer.Option(min=1, help="Positions that a row may have.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read no more than the first N trajectories.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file too; - prints it instead.")
    ] = None,
) -> None:
    """Prove that spans and token masks are right; exit code 1 if they are not. Warnings are no defects."""
    if tokenizer is None and (teacher is not None or rendering != "plain" or max_length is not None):
        raise ConfigError("--teacher, --rendering and --max-length are about tokens: expected --tokenizer too")
    if json_file is not None and json_file.resolve() == trajectories.resolve():
        raise ConfigError(f"{json_file}: --json would overwrite the trajectories; expected another file")
    from spanwise.data.render import PLAIN, make_rendering
    from spanwise.traces.audit import audit as audit_trajectories
    from spanwise.traces.audit_view import print_audit, write_audit

    student = teaches = None
    if tokenizer is not None:
        from spanwise.training.models import load_tokenizer

        student = load_tokenizer(tokenizer)
        teaches = None if teacher is None else load_tokenizer(teacher)
    rendered = PLAIN if student is None else make_rendering(rendering, student)
    report = audit_trajectories(_watched(trajectories, limit), student, rendered, teaches, max_length)
    if json_file is not None:
        write_audit(report, str(trajectories), None if str(json_file) == "-" else json_file)
    if str(json_file) != "-":
        print_audit(report, Console(), str(trajectories))
    if report.defects:
        raise typer.Exit(1)


def _watched(path: Path, limit: int | None) -> Iterator[Trajectory]:
    """The first trajectories of a file, counted on a terminal.

    Raises:
        TraceError: The file cannot be read, or holds no trajectory.
    """
    from spanwise.traces.jsonl import read_trajectories

    number = 0
    with progress_bar() as bar:
        row = bar.add_task("audit", total=limit, note="")
        for number, trajectory in enumerate(itertools.islice(read_trajectories(path), limit), start=1):
            yield trajectory
            bar.update(row, completed=number)
    if not number:
        raise TraceError(f"{path}: holds no trajectory")


def fidelity(
    model: Annotated[Path, typer.Argument(help="A Hugging Face model folder.")],
    trajectories: Annotated[
        Path, typer.Argument(help="Trajectories that it did not learn from (JSON lines, also .gz).")
    ],
    teacher: Annotated[
        Path | None, typer.Option(help="Folder of a model with the same tokenizer: how far is the first one from it?")
    ] = None,
    rendering: Annotated[
        Literal["plain", "chat"], typer.Option(help="Text that the model reads: as it was in its training.")
    ] = "plain",
    style: Annotated[
        str, typer.Option(help="How completions are cut where a trajectory does not say; see traces/segment.py.")
    ] = "react",
    limit: Annotated[int | None, typer.Option(min=1, help="Trajectories; default: all.")] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens that a completion may have.")] = 160,
    out: Annotated[
        Path | None, typer.Option(help="Folder for records and results; default: one of its own below runs/fidelity.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the results to this file too.")] = None,
) -> None:
    """Judge a model without an environment: would it have done, step by step, what was recorded?"""
    if json_file is not None and json_file.resolve() == trajectories.resolve():
        raise ConfigError(f"{json_file}: --json would overwrite the trajectories; expected another file")
    from spanwise.traces.jsonl import read_trajectories
    from spanwise.traces.segment import STYLES

    if style not in STYLES:
        raise ConfigError(f"--style: found {style!r}; there are: {', '.join(STYLES)}")
    for folder in (model, teacher):
        if folder is not None and not folder.is_dir():
            raise ModelError(f"{folder}: expected a model folder")
    read = list(read_trajectories(trajectories))
    if not read:
        raise TraceError(f"{trajectories}: holds no trajectory")

    from spanwise.evaluation.teacher_forcing import FidelitySettings, measure_fidelity
    from spanwise.report.fidelity_tables import fidelity_table
    from spanwise.run_directory import write_atomically

    settings = FidelitySettings(rendering, style, max_new_tokens, limit)
    with ProgressWatcher().stage(f"fidelity.{model.name}") as tick:
        results = measure_fidelity(
            model,
            read,
            Path("runs/fidelity") if out is None else out,
            settings,
            model.name,
            teacher,
            lambda done, of_all: tick(done, of_all, ""),
            named_by_content=out is None,
        )
    Console().print(fidelity_table(results))
    print(f"results: {results['provenance']['folder']}")
    if json_file is not None:
        write_atomically(json_file, json.dumps(results, indent=2, ensure_ascii=False) + "\n")


def _beside(path: Path, name: str) -> Path:
    """``data.jsonl.gz`` as ``data.held_out.jsonl.gz``."""
    stem, dot, suffixes = path.name.partition(".")
    return path.with_name(f"{stem}.{name}{dot}{suffixes}")


def _nothing(reasons: dict[str, int], logs: list[Path]) -> str:
    told = "; ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda one: -one[1])[:4])
    named = ", ".join(map(str, logs[:3])) + (" …" if len(logs) > 3 else "")
    return f"{named}: nothing to keep ({told or 'no record'}); spanwise formats lists what can be read"


@contextmanager
def _bytes_read(paths: list[Path]) -> Iterator[Callable[[Path, int], None]]:
    """A bar of the bytes that were read of the files; on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        rows = {path: bar.add_task(path.name, total=path.stat().st_size if path.exists() else None) for path in paths}
        yield lambda path, position: bar.update(rows[path], completed=position)


#: Verbs by name.
VERBS = {
    "import": import_,
    "audit": audit,
    "show": show,
    "fidelity": fidelity,
    "export": export,
    "formats": formats,
}
