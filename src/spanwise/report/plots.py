"""Training curves of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from spanwise.report.drawing import drawing, line_of
from spanwise.report.run_files import TrainingLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What is drawn of training: quantities that are logged per kind of span as ``reason_loss``, ``act_loss`` and so on.
QUANTITIES = {
    "loss": "loss, nats",
    "kl": "KL from the teacher, nats",
    "agreement": "agreement with the teacher",
    "entropy": "entropy, nats",
    "attention_kl": "KL of attention, nats",
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
    rows = _layout(logs)
    if not rows:
        return Markup("")
    with drawing(9.6, 0.5 + 2.1 * len(rows)) as (figure, done):
        axes = figure.subplots(len(rows), 2, squeeze=False, sharey="row")
        for row, places in zip(rows, axes, strict=True):
            for panel, place in zip(row, places, strict=False):
                _draw(place, panel)
            for place in places[len(row) :]:
                place.set_axis_off()
        handles = {line.get_label(): line for row in axes for place in row for line in place.get_lines()}
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=6)  # pyright: ignore
        return done()


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
            color, style = line_of(log.series)
            place.plot(steps, values, style, color=color, label=log.name, marker="o" if len(steps) == 1 else None)
    place.set_title(panel.title)
    place.set_xlabel("optimizer step")
    place.set_ylim(bottom=0)


def _points(log: TrainingLog, field: str) -> list[tuple[float, float]]:
    """The steps at which a field was logged, with its values; lines of other sorts (evaluation, timing) lack it."""
    return [(line["step"], line[field]) for line in log.lines if line.get(field) is not None and "step" in line]
