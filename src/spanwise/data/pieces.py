"""What a rendering is asked for, and what it answers: context and completions as pieces of text.

Completions and what stands between them are tokenised one by one, so the ids of a history are a prefix of the ids of
every longer one, for as long as the rendering does not change what it wrote before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spanwise.types import Span, Step, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that is tokenised by itself.

    Attributes:
        text: The characters.
        markup: Whether what reads like a special token in them is one; elsewhere it is text.
    """

    text: str
    markup: bool = False


@dataclass(frozen=True, slots=True)
class Preamble:
    """What an agent is told before the first observation, and how it writes calls.

    Attributes:
        system: Instructions; None if there are none.
        tools: Schemas of the tools it can call; None where no schema is known.
        calls: Whether completions hold tool calls, and observations their answers, as ``traces/tool_text.py`` writes
            them; a chat template that has a form of its own for calls is handed them as structures.
    """

    system: str | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    calls: bool = False


NO_PREAMBLE = Preamble()


def preamble_of(trajectory: Trajectory) -> Preamble:
    """What the agent of a trajectory was told."""
    return Preamble(trajectory.system, trajectory.tools, trajectory.metadata.get("style") == "tools")


@dataclass(frozen=True, slots=True)
class Context:
    """What is read before an answer.

    Attributes:
        pieces: What stands between the last completion and the answer; all that is read before it where ``changed``.
        changed: None, or how the rendering changed what it had written before, in words; then reading starts anew.
    """

    pieces: tuple[Piece, ...]
    changed: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A completion as a rendering writes it.

    Attributes:
        pieces: The text.
        spans: Partition of the pieces' joined text.
        end: Id of the token that ends the turn; None: the first of the rendering's ``ends``.
    """

    pieces: tuple[Piece, ...]
    spans: tuple[Span, ...]
    end: int | None = None

    @property
    def text(self) -> str:
        """The pieces, joined."""
        return "".join(piece.text for piece in self.pieces)


class Rendering(Protocol):
    """How a history becomes text: context, the completion, the end of its turn, and so on."""

    def context(self, steps: Sequence[Step], observation: str, preamble: Preamble = NO_PREAMBLE) -> Context:
        """What is read between the last completion of ``steps`` and the answer to ``observation``."""
        ...

    def completion(self, steps: Sequence[Step], preamble: Preamble = NO_PREAMBLE) -> Written:
        """What the last of ``steps`` says. Not asked about ids that a model generated: these stay as they are."""
        ...

    def ends(self, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
        """Ids of the tokens by which a model can end its turn, the usual one first."""
        ...
