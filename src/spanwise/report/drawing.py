"""Drawings as inline SVG whose colours and fonts are the page's, so that one picture serves light and dark.

A drawing is deterministic, holds no address of any kind, and names no font: what matplotlib writes of those is taken
out, and placeholder colours become CSS variables.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours that stand for CSS variables until the SVG is done.
INK, RULE, REASON, ACT = "#010203", "#010204", "#010205", "#010206"
_SERIES = ("#010301", "#010302", "#010303", "#010304", "#010305", "#010306", "#010307", "#010308")
_VARIABLES = {INK: "--soft", RULE: "--rule", REASON: "--reason", ACT: "--act"} | {
    color: f"--series-{n}" for n, color in enumerate(_SERIES, start=1)
}

_RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "spanwise",  # the same curves give the same ids
    "text.parse_math": False,  # a name with a dollar sign is a name
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Callable[[], Markup]]]:
    """A figure to draw on, in inches, in the style of the page; and what makes an ``<svg>`` element of it."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(width, height), layout="constrained")

        def done() -> Markup:
            buffer = io.StringIO()
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
            return _inline(buffer.getvalue())

        yield figure, done


def line_of(series: int) -> tuple[str, str]:
    """Colour and style of a series by its number, from 1 on; dashed where the colours begin anew."""
    return _SERIES[(series - 1) % len(_SERIES)], "--" if series > len(_SERIES) else "-"


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
