"""Training curves as inline SVG whose colours and fonts are the page's, so that one picture serves light and dark.

The drawing is deterministic, holds no address of any kind, and names no font: what matplotlib writes of those is taken
out, and placeholder colours become CSS variables.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from spanwise.report.run_files import TrainingLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What is drawn of training: quantities that are logged per kind of span as ``reason_loss``, ``act_loss`` and so on.
QUANTITIES = {
    "loss": "loss, nats",
    "kl": "KL from the teacher, nats",
    "agreement": "agreement with the teacher",
    "entropy": "entropy, nats",
}

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


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    field: str
    logs: tuple[TrainingLog, ...]


def training_curves(logs: Sequence[TrainingLog]) -> Markup:
    """All curves of a run in one drawing: pretraining, then a row per quantity, REASON on the left, ACT on the right.

    Returns:
        An ``<svg>`` element; empty where nothing that is drawn was logged.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = _layout(logs)
    if not rows:
        return Markup("")
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(9.6, 0.5 + 2.1 * len(rows)), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False, sharey="row")
        for row, places in zip(rows, axes, strict=True):
            for panel, place in zip(row, places, strict=False):
                _draw(place, panel)
            for place in places[len(row) :]:
                place.set_axis_off()
        handles = {line.get_label(): line for row in axes for place in row for line in place.get_lines()}
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=6)  # pyright: ignore
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue())


def _layout(logs: Sequence[TrainingLog]) -> list[list[_Panel]]:
    """Rows of one or two panels; those without a single point are left out."""
    first = [
        _Panel(f"pretraining of {log.name}: loss on all tokens, nats", "loss", (log,))
        for log in logs
        if log.pretraining
    ]
    trained = tuple(log for log in logs if not log.pretraining)
    per_kind = [
        [_Panel(f"{kind.upper()}: {meaning}", f"{kind}_{quantity}", trained) for kind in ("reason", "act")]
        for quantity, meaning in QUANTITIES.items()
    ]
    return [row for row in (first, *per_kind) if any(_points(log, panel.field) for panel in row for log in panel.logs)]


def _draw(place: Axes, panel: _Panel) -> None:
    for log in panel.logs:
        points = _points(log, panel.field)
        if points:
            steps, values = zip(*points, strict=True)
            color = _SERIES[(log.series - 1) % len(_SERIES)]
            style = "--" if log.series > len(_SERIES) else "-"
            place.plot(steps, values, style, color=color, label=log.name, marker="o" if len(steps) == 1 else None)
    place.set_title(panel.title)
    place.set_xlabel("optimizer step")
    place.set_ylim(bottom=0)


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
