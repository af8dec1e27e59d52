"""The verbs of suites: ``spanwise suite``, ``spanwise suite status`` and ``spanwise compare``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from spanwise.errors import ConfigError


class _RunByDefault(TyperGroup):
    """``suite RECIPE`` is short for ``suite run RECIPE``."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["run", *args])


suite_app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Train and compare many students of one teacher; or say how far that is.",
)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@suite_app.command("run")
def suite_run(
    recipe: Annotated[Path, typer.Argument(help="A suite: a TOML file, such as those in recipes/suite/.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Its run directory, made if it is not there; default: runs/<its name>.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes, such as seeds=[0].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Students at a time, a process each; default: one for each core.")
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Every method in small, on the toy world, to see that all of it works.")
    ] = False,
) -> None:
    """Do what is not done yet of a suite; students that failed are tried again. Exit code 1 if some fail."""
    from spanwise.progress import ProgressWatcher
    from spanwise.suite.loading import load_suite
    from spanwise.suite.runner import failure_lines, run_suite
    from spanwise.suite.status import summary

    for one in overrides or []:
        if "=" not in one:
            raise ConfigError(f"expected key=value, found {one!r}")
    suite = load_suite(recipe, overrides or [], smoke)
    if out is None:
        out = Path("runs") / suite.name
        print(f"--out {out}", file=sys.stderr, flush=True)
    at_a_time = workers or _cores()
    statuses = run_suite(suite, out, at_a_time, ProgressWatcher())
    print(summary(statuses, at_a_time))
    failures = failure_lines(out, statuses)
    for line in failures:
        print(f"failed: {line}", file=sys.stderr)
    if failures:
        print(f"spanwise: {len(failures)} cells failed; the same command tries them again", file=sys.stderr)
        raise typer.Exit(1)


@suite_app.command("status")
def suite_status(
    run: Annotated[Path, typer.Argument(help="The run directory of a suite.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="To estimate the time left by; default: one for each core.")
    ] = None,
) -> None:
    """Say what is done, what failed, what is left, and about how long that takes."""
    from spanwise.suite.loading import read_suite
    from spanwise.suite.runner import failure_lines
    from spanwise.suite.status import read_status, status_table, summary

    suite = read_suite(run)
    statuses = read_status(suite, run)
    Console().print(status_table(suite, statuses))
    for line in failure_lines(run, statuses):
        print(f"failed: {line}")
    print(summary(statuses, workers or _cores()))


def compare(
    first: Annotated[Path, typer.Argument(help="A run, a suite's cell or method, or the folder of an evaluation.")],
    second: Annotated[Path, typer.Argument(help="Another one, whose agents played the same tasks.")],
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="Coverage of the intervals.")] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two on the same tasks: the difference, its interval, p, and what could have been seen."""
    from spanwise.report.paired_runs import compare_runs, comparison_json, comparison_table

    found = compare_runs(first, second, confidence)
    if as_json:
        print(json.dumps(comparison_json(first, second, found, confidence), indent=2, allow_nan=False))
        return
    Console().print(comparison_table(first, second, found, confidence))
    for remark in found.remarks:
        print(remark)
