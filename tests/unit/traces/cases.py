"""What tests of traces share: importing a value or a text, and showing trajectories in few words."""

import json
from pathlib import Path
from typing import Any

from spanwise.traces.importing import ImportOptions, ImportSummary, import_traces
from spanwise.types import Trajectory


def import_value(tmp_path: Path, value: Any, options: ImportOptions | None = None) -> list[Trajectory]:
    """Imports text as it is, and other values as JSON."""
    path = tmp_path / "log.txt"
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return list(import_traces([path], options or ImportOptions(), ImportSummary()))


def turns(trajectory: Trajectory) -> list[tuple[str, list[tuple[str, str]]]]:
    """Per step: the observation, then kind and text of each span."""
    return [
        (step.observation, [(span.kind.name, step.completion[span.start : span.end]) for span in step.spans])
        for step in trajectory.steps
    ]
