"""Constrained decoding: thoughts are free, commands are some that the environment would carry out.

Once a turn has come to its command (``Action:``), a token may be chosen only if it goes on with one of the commands, as
the tokenizer writes them, or ends the turn after a whole one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from spanwise.traces.segment import segment

#: How agents write whose commands can be told from their thoughts while they are being written.
STYLE = "react"
_LEAD = "Action:"


class AdmissibleCommands:
    """What may be written next, for the turns of one model."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: Collection[int]):
        """Commands as ``tokenizer`` writes them, each followed by one of the tokens in ``ends``."""
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._ids = lru_cache(maxsize=100_000)(self._written)

    def next_tokens(self, token_ids: Sequence[int], commands: Sequence[str]) -> frozenset[int] | None:
        """The tokens that may follow what a turn has written; None: any, for it is still a thought.

        Args:
            token_ids: The turn so far.
            commands: Those that are admissible; without one, a turn that comes to its command ends.
        """
        begin = self._begin_of_command(token_ids)
        if begin is None:
            return None
        spaced = self._text(token_ids[:begin])[-1:].isspace()
        said = tuple(token_ids[begin:])
        ways = [way for command in commands if (way := self._ids(command, spaced))[: len(said)] == said]
        allowed = frozenset(way[len(said)] for way in ways if len(way) > len(said))
        return allowed | self._ends if said in ways or not ways else allowed

    def _begin_of_command(self, token_ids: Sequence[int]) -> int | None:
        """How many tokens come before the command, with the space between them, where it has a token of its own."""
        if segment(self._text(token_ids) + "x", STYLE).action is None:
            return None
        low, high = 0, len(token_ids)  # after `high` tokens there is a command
        while low < high:
            middle = (low + high) // 2
            if segment(self._text(token_ids[:middle]) + "x", STYLE).action is None:
                low = middle + 1
            else:
                high = middle
        while low < len(token_ids) and self._text(token_ids[low : low + 1]).isspace():
            low += 1
        return low

    def _text(self, token_ids: Sequence[int]) -> str:
        text = self._tokenizer.decode(list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def _written(self, command: str, spaced: bool) -> tuple[int, ...]:
        """The ids of a command behind ``Action:``, with the space before it or, where that is there, without."""
        if spaced:
            return tuple(self._tokenizer(command, add_special_tokens=False)["input_ids"])
        encoded = self._tokenizer(f"{_LEAD} {command}", add_special_tokens=False, return_offsets_mapping=True)
        pairs = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        return tuple(token_id for token_id, (start, _) in pairs if start >= len(_LEAD))
