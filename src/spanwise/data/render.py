"""A trajectory as the text a model reads: pieces of context and of completion, in turn.

The plain rendering of a step is ``observation + "\\n"``, then the completion, then the end-of-turn token. The next
observation follows directly. Pieces are tokenised one by one, so the ids of a history are a prefix of the ids of
every longer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spanwise.types import Span, Step


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is tokenised by itself.

    Attributes:
        text: The characters.
        step: Index of the step that it belongs to.
        spans: Partition of a completion into kinds; None for context.
        token_ids: The ids that a model generated for it, end-of-turn token included; None where text is all there is.
    """

    text: str
    step: int
    spans: tuple[Span, ...] | None = None
    token_ids: tuple[int, ...] | None = None


def context_text(observation: str) -> str:
    """What stands between two completions for an observation."""
    return observation + "\n"


def render_plain(steps: Sequence[Step]) -> tuple[Piece, ...]:
    """The pieces of a history, context and completion by turns."""
    pieces: list[Piece] = []
    for index, step in enumerate(steps):
        pieces.append(Piece(context_text(step.observation), index))
        pieces.append(Piece(step.completion, index, step.spans, step.token_ids))
    return tuple(pieces)
