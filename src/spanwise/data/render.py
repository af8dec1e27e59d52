"""A trajectory as the text a model reads: plain, or by its chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from spanwise.data.chat import ChatRendering
from spanwise.data.pieces import NO_PREAMBLE, Context, Piece, Preamble, Rendering, Written, preamble_of
from spanwise.errors import TokenizationError
from spanwise.types import Step

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "NO_PREAMBLE",
    "PLAIN",
    "ChatRendering",
    "Context",
    "Piece",
    "PlainRendering",
    "Preamble",
    "Rendering",
    "Written",
    "make_rendering",
    "preamble_of",
]


class PlainRendering:
    """``observation + "\\n"``, the completion, the end-of-turn token; the next observation follows directly.

    Instructions, if there are any, and an empty line stand before the first observation.
    """

    def context(self, steps: Sequence[Step], observation: str, preamble: Preamble = NO_PREAMBLE) -> Context:
        """See :class:`Rendering`."""
        told = "" if steps or preamble.system is None else preamble.system + "\n\n"
        return Context((Piece(f"{told}{observation}\n"),))

    def completion(self, steps: Sequence[Step], preamble: Preamble = NO_PREAMBLE) -> Written:
        """See :class:`Rendering`."""
        return Written((Piece(steps[-1].completion),), steps[-1].spans)

    def ends(self, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
        """See :class:`Rendering`.

        Raises:
            TokenizationError: The tokenizer has no end-of-sequence token.
        """
        if not isinstance(tokenizer.eos_token_id, int):
            raise TokenizationError("the tokenizer has no end-of-turn token (eos_token)")
        return (tokenizer.eos_token_id,)


PLAIN = PlainRendering()


def make_rendering(name: Literal["plain", "chat"], tokenizer: PreTrainedTokenizerBase) -> Rendering:
    """The rendering of a name, for models that read with this tokenizer.

    Raises:
        TokenizationError: ``chat``, and the tokenizer has no chat template.
    """
    return ChatRendering(tokenizer) if name == "chat" else PLAIN
