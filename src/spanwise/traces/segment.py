"""Which characters of a completion are thought, and which are command: the cut that the whole method stands on.

A completion is what an agent wrote in one turn. Two styles of writing are known::

    react   Thought: The key may be in box 2.        REASON, up to the marker; the newline before it included
            Action: go to box 2                      ACT, from the marker to the end

    think   > think: The key may be in box 2.        a whole turn of REASON
            > go to box 2                            a whole turn of ACT

Whatever the text, the spans partition it: every character belongs to exactly one span, and the spans joined give the
text back. Words of the scaffold (``Thought:``, ``Action:``, ``>``) belong to the span that they open. Text in which
nothing announces a command is REASON throughout.

Source: arXiv 2505.13820, which cuts a trajectory into [REASON] and [ACT] spans so that each kind can have its own loss.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from spanwise.types import Span, SpanKind

#: An action that starts so is addressed to the agent itself: the environment never sees it.
THINK_PREFIX = "think:"

#: The marker counts at the start of a line only (spaces before it allowed), so a thought may mention the word.
_ACTION_MARKER = re.compile(r"^[ \t]*(Action:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One completion, cut.

    Attributes:
        spans: Partition of the completion into REASON and ACT ranges; empty only for the empty completion.
        action: The command, stripped; None when the completion holds none (a parse failure).
        think_only: The command is a thought, as in ``think: ...``, and shall not reach the environment.
    """

    spans: tuple[Span, ...]
    action: str | None
    think_only: bool


def segment(completion: str, style: str) -> Segmentation:
    """Cuts a completion into REASON and ACT spans and finds its command; total over all texts, in linear time.

    Args:
        completion: Verbatim model text of one turn, without the end-of-turn token.
        style: A key of ``STYLES``.

    Raises:
        ValueError: The style does not exist.
    """
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; there are: {', '.join(STYLES)}")
    return STYLES[style](completion)


def _segment_react(completion: str) -> Segmentation:
    """Thought, then ``Action:``. The first marker wins; all that follows it is ACT, its line alone is the command."""
    marker = _ACTION_MARKER.search(completion)
    if marker is None:
        return Segmentation(_partition(completion, reason_end=len(completion)), action=None, think_only=False)
    action = _first_line(completion[marker.end() :])
    return Segmentation(
        _partition(completion, reason_end=marker.start(1)),
        action=action or None,
        think_only=action.startswith(THINK_PREFIX),
    )


def _segment_think(completion: str) -> Segmentation:
    """The turn is either a thought or a command, with ReAct's prompt sign ``>`` before it or not."""
    action = _first_line(completion.lstrip().removeprefix(">"))
    think_only = action.startswith(THINK_PREFIX)
    is_command = bool(action) and not think_only
    return Segmentation(
        _partition(completion, reason_end=0 if is_command else len(completion)),
        action=action or None,
        think_only=think_only,
    )


#: How agents write, by name.
STYLES: dict[str, Callable[[str], Segmentation]] = {
    "react": _segment_react,
    "think": _segment_think,
}


def _partition(completion: str, reason_end: int) -> tuple[Span, ...]:
    """REASON before ``reason_end``, ACT from there on; a span that would be empty is left out."""
    ranges = ((SpanKind.REASON, 0, reason_end), (SpanKind.ACT, reason_end, len(completion)))
    return tuple(Span(kind, start, end) for kind, start, end in ranges if start < end)


def _first_line(text: str) -> str:
    """The text up to its first newline, stripped (which also takes the ``\\r`` of a CRLF)."""
    return text.partition("\n")[0].strip()
