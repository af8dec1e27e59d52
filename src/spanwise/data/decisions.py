"""Which tokens of a command decide: those in which a word of it begins.

There it is settled what is done, and with what. What stands around a command (words of the scaffold, brackets, the end
of the turn) and how a word goes on once it is begun is mostly given. Words are found in characters, so every tokenizer
is asked about the same places.
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
    acts = ((one.start, one.end) for one in spans if one.kind is SpanKind.ACT)
    place = next((at for start, end in acts if command and (at := text.find(command, start, end)) >= 0), None)
    if not command or place is None:
        return [False] * len(offsets)
    starts = [place + word.start() for word in _WORD.finditer(command)]
    return [bisect_left(starts, start) < bisect_left(starts, end) for start, end in offsets]
