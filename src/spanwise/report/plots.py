"""Training curves as inline SVG whose colours and fonts are the page's, so that one picture serves light and dark.

The drawing is deterministic, holds no address of any kind, and names no font: what matplotlib writes of those is taken
out, and placeholder colours become CSS variables.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from spanwise.report.run_files import TrainingLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What is drawn: fields of a log's lines, and what they are called. A row of panels each, a panel per kind of span.
ROWS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("loss, nats", (("reason_loss", "REASON"), ("act_loss", "ACT"))),
    ("KL from the teacher, nats", (("reason_kl", "REASON"), ("act_kl", "ACT"))),
    ("agreement with the teacher", (("reason_agreement", "REASON"), ("act_agreement", "ACT"))),
    ("entropy, nats", (("reason_entropy", "REASON"), ("act_entropy", "ACT"))),
)

#: Colours that stand for CSS variables until the SVG is done.
_INK, _RULE = "#010203", "#010204"
_SERIES = ("#010301", "#010302", "#010303", "#010304", "#010305", "#010306", "#010307", "#010308")
_VARIABLES = {_INK: "--soft", _RULE: "--rule"} | {color: f"--series-{n}" for n, color in enumerate(_SERIES, start=1)}

_RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "spanwise",  # the same curves give the same ids
    "text.parse_math": False,  # a name with a dollar sign is a name
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
}


def training_curves(logs: Sequence[TrainingLog], series: Mapping[str, int]) -> Markup:
    """All curves of a run in one drawing: a row per quantity that was logged, REASON on the left and ACT on the right.

    Args:
        logs: What was logged.
        series: Number of each learner's colour.

    Returns:
        An ``<svg>`` element; empty where nothing that is drawn was logged.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = [
        (label, panels) for label, panels in ROWS if any(_points(log, field) for log in logs for field, _ in panels)
    ]
    if not rows:
        return Markup("")
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(9.6, 0.5 + 2.1 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False, sharex=False, sharey="row")
        for (label, panels), row in zip(rows, axes, strict=True):
            for (field, kind), panel in zip(panels, row, strict=True):
                panel.set_title(f"{kind}: {label}")
                _draw(panel, logs, series, field)
            row[0].set_ylim(bottom=0)
        for panel in axes[-1]:
            panel.set_xlabel("optimizer step")
        handles = {line.get_label(): line for row in axes for panel in row for line in panel.get_lines()}
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=6)  # pyright: ignore
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue())


def _draw(panel: Axes, logs: Sequence[TrainingLog], series: Mapping[str, int], field: str) -> None:
    for log in logs:
        points = _points(log, field)
        if points:
            steps, values = zip(*points, strict=True)
            index = series[log.name] - 1
            color = _SERIES[index % len(_SERIES)]
            style = "--" if index >= len(_SERIES) else "-"
            panel.plot(steps, values, style, color=color, label=log.name, marker="o" if len(steps) == 1 else None)


def _points(log: TrainingLog, field: str) -> list[tuple[float, float]]:
    """The steps at which a field was logged, with its values; lines of other sorts (evaluation, timing) lack it."""
    return [(line["step"], line[field]) for line in log.lines if line.get(field) is not None and "step" in line]


def _inline(svg: str) -> Markup:
    """The ``<svg>`` element alone, without namespaces, metadata, fonts and placeholder colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # it would reach into the page
    svg = re.sub(r" font-family: [^;]*;", "", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var({variable})")
    return Markup(svg)
