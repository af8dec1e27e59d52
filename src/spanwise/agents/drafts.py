"""Guesses of what an agent writes next, so that one pass over the cache may yield several tokens.

What agents write repeats itself: phrases of thoughts, names that were just read, whole turns where an agent is stuck.
So a text is guessed to go on as the last text did that ended in the same tokens (prompt lookup: Saxena 2023,
github.com/apoorvumang/prompt-lookup-decoding; here over all episodes of an agent, looked up anew after each guessed
token). The model reads the guesses together with the last token and says what it would have written at each place;
those that it would have written itself are kept (speculative decoding: Leviathan et al. 2023, arXiv 2211.17192, with a
draft that is certain). So guesses decide how many passes there are, never what is written.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Lengths of the endings that are looked up, the longest that is known first.
_LENGTHS = (8, 4, 2)

#: Endings that are remembered, then all are forgotten: some 200 MB.
_MOST_KNOWN = 2**20

#: Logits of one pass; a large vocabulary and many episodes leave room for fewer guesses.
_MOST_LOGITS = 2**25


class Drafts:
    """Remembers which token came after which."""

    def __init__(self, most: int):
        """Nothing is known yet; ``most`` tokens are guessed at a time."""
        self._most = most
        self._next: dict[tuple[int, ...], int] = {}

    def read(self, ids: Sequence[int], begin: int) -> None:
        """Learns what came before each of ``ids[begin:]``."""
        if not self._most:
            return
        if len(self._next) > _MOST_KNOWN:
            self._next.clear()
        for at in range(begin, len(ids)):
            for length in _LENGTHS:
                if at >= length:
                    self._next[tuple(ids[at - length : at])] = ids[at]

    def room(self, texts: int, vocabulary: int) -> int:
        """How many tokens may be guessed for each of so many texts in one pass."""
        return max(0, min(self._most, _MOST_LOGITS // (texts * vocabulary) - 1))

    def after(self, ids: Sequence[int], most: int) -> list[int]:
        """At most so many tokens that may come after these."""
        ending, guessed = list(ids[-_LENGTHS[0] :]), []
        while len(guessed) < most:
            known = (self._next.get(tuple(ending[-length:])) for length in _LENGTHS if len(ending) >= length)
            token = next((one for one in known if one is not None), None)
            if token is None:
                break
            guessed.append(token)
            ending = [*ending[-_LENGTHS[0] + 1 :], token]
        return guessed
