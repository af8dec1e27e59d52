"""Text in which the special tokens of a template are told from words that only read like them.

A template is handed messages whose special tokens are masked: characters that no tokenizer knows stand for them, as
many as they were. What it writes is compared with what it writes for the messages as they are, so at every character
it is known who said it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanwise.data.pieces import Piece

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: A masked character is the same one, this far up: in the second private-use plane.
_SHIFT = 0x100000


@dataclass(frozen=True, slots=True)
class Marked:
    """Text, character by character as it is and as it is with special tokens masked that somebody said."""

    text: str
    masked: str

    def __len__(self) -> int:
        return len(self.text)

    def __add__(self, other: Marked) -> Marked:
        return Marked(self.text + other.text, self.masked + other.masked)

    def cut(self, start: int, end: int | None = None) -> Marked:
        """The characters of a range."""
        return Marked(self.text[start:end], self.masked[start:end])

    def begins(self, other: Marked) -> bool:
        """Whether this is how ``other`` begins."""
        return other.text.startswith(self.text) and other.masked.startswith(self.masked)


class SpecialTokens:
    """The special tokens of a tokenizer: found, masked and told apart."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        """Those that it was given as special."""
        added = tokenizer.added_tokens_decoder
        tokens = {token.content: token_id for token_id, token in added.items() if token.special}
        tokens |= dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
        longest_first = sorted(tokens, key=len, reverse=True)
        self.ids = tokens
        self.names = {token_id: token for token, token_id in tokens.items()}
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def mark(self, text: str) -> Marked:
        """Text that somebody said: no special token in it is one."""
        return Marked(text, self._pattern.sub(lambda found: _masked(found[0]), text))

    def mask_values(self, value: Any) -> Any:
        """A value of JSON, its strings masked."""
        if isinstance(value, str):
            return self.mark(value).masked
        if isinstance(value, dict):
            return {self.mask_values(key): self.mask_values(one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask_values(one) for one in value]
        return value

    def at(self, text: Marked, position: int = 0) -> str | None:
        """The special token that stands there; None if there is none."""
        found = self._pattern.match(text.masked, position)
        return None if found is None else found[0]

    def all_in(self, text: Marked) -> list[tuple[int, str]]:
        """All special tokens and where they begin."""
        return [(found.start(), found[0]) for found in self._pattern.finditer(text.masked)]

    def pieces(self, text: Marked) -> tuple[Piece, ...]:
        """The text for a tokenizer, cut only where special tokens have to be told from what reads like them."""
        if not self.all_in(text):
            return (Piece(text.text),)
        if text.text == text.masked:
            return (Piece(text.text, markup=True),)
        borders = [0]
        said = [one != other for one, other in zip(text.text, text.masked, strict=True)]
        borders += [at for at in range(1, len(text)) if said[at] != said[at - 1]]
        ends = [*borders[1:], len(text)]
        return tuple(Piece(text.text[start:end], not said[start]) for start, end in zip(borders, ends, strict=True))


def join_renderings(text: str, masked: str) -> Marked | None:
    """What a template wrote for messages as they are and masked; None if it did not write the same."""
    same = len(text) == len(masked) and all(
        one == other or _masked(one) == other for one, other in zip(text, masked, strict=True)
    )
    return Marked(text, masked) if same else None


def _masked(text: str) -> str:
    return "".join(chr(ord(one) + _SHIFT) if ord(one) < 0x10000 else one for one in text)
