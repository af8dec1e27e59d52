"""The command line's verbs for other people's logs: import them, export them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from spanwise.errors import ConfigError, TraceError


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
    duplicates: Annotated[bool, typer.Option(help="Keep trajectories that are equal, word for word.")] = False,
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
        deduplicate=not duplicates,
        keep_system=system,
    )
    if any(log.resolve() == out.resolve() for log in logs):
        raise ConfigError(f"{out}: --out would overwrite a log; expected another file")
    summary = ImportSummary()
    other = _beside(out, "held_out")
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
        summary_file.write_text(json.dumps(summary_json(summary), indent=2) + "\n", encoding="utf-8")
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
