"""Which tokens decide: those in which a word of the command begins, in the command or in the thought before it.

There it is settled what is done, and with what. What stands around a command (words of the scaffold, brackets, the
end of the turn) and how a word goes on once it is begun is mostly given. Where the thought says its words first, the
command is an echo. Words are found in characters, so every tokenizer is asked about the same places.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from spanwise.types import Span, SpanKind

_WORD = re.compile(r"\w+")


def deciding(offsets: Sequence[tuple[int, int]], text: str, spans: Sequence[Span], command: str | None) -> list[bool]:
    """Whether a word of the command begins in each token; in none where no ACT span has the command as it was given.

    Args:
        offsets: Character range of each token, in order.
        text: The completion.
        spans: Partition of ``text``.
        command: What was handed to the environment.
    """
    place = _place(text, spans, command)
    if not command or place is None:
        return [False] * len(offsets)
    return _begins_in(offsets, [place + word.start() for word in _WORD.finditer(command)])


def foretelling(
    offsets: Sequence[tuple[int, int]], text: str, spans: Sequence[Span], command: str | None
) -> list[bool]:
    """Whether, in a thought before the command, a word begins in each token that the command says too.

    Args:
        offsets: And the others: as in :func:`deciding`.
        text: See there.
        spans: See there.
        command: See there.
    """
    place = _place(text, spans, command)
    if not command or place is None:
        return [False] * len(offsets)
    said = set(_WORD.findall(command))
    thoughts = [one for one in spans if one.kind is SpanKind.REASON and one.start < place]
    words = (word for one in thoughts for word in _WORD.finditer(text, one.start, one.end))
    return _begins_in(offsets, [word.start() for word in words if word[0] in said])


def _place(text: str, spans: Sequence[Span], command: str | None) -> int | None:
    """Where the command stands in an ACT span."""
    acts = ((one.start, one.end) for one in spans if one.kind is SpanKind.ACT)
    return next((at for start, end in acts if command and (at := text.find(command, start, end)) >= 0), None)


def _begins_in(offsets: Sequence[tuple[int, int]], starts: Sequence[int]) -> list[bool]:
    return [bisect_left(starts, start) < bisect_left(starts, end) for start, end in offsets]
