"""The verb ``fidelity``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from spanwise.errors import ConfigError, ModelError, TraceError


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
    json: Annotated[Path | None, typer.Option(help="Write the results to this file too.")] = None,
) -> None:
    """Judge a model without an environment: would it have done, step by step, what was recorded?"""
    if json is not None and json.resolve() == trajectories.resolve():
        raise ConfigError(f"{json}: --json would overwrite the trajectories; expected another file")
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

    from spanwise.cli import ProgressWatcher
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
    if json is not None:
        write_atomically(json, json_format.dumps(results, indent=2, ensure_ascii=False) + "\n")
