"""The kinds of a row's tokens, found a second time: from the bytes that tokens stand for, without offsets.

``data/tokenize.py`` goes from text to tokens and takes the tokenizer's word for where each lies. This goes the other
way: the row's ids are spelled out, each completion must be how its step's tokens end, and the kind of every token
follows from where its bytes lie. The two share no code, so that an error in either shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from spanwise.errors import TokenizationError
from spanwise.types import Span, SpanKind

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: SentencePiece's mark for a space.
_SPACE = "▁"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What each id of a vocabulary stands for.

    Attributes:
        of: The bytes of each id; None where there is no such token.
        special: Ids that are no text.
        marks_spaces: A SentencePiece vocabulary: spaces are written ``▁``, and one may be put before a text.
        normalize: What the tokenizer does to text first; None if nothing.
    """

    of: tuple[bytes | None, ...]
    special: frozenset[int]
    marks_spaces: bool
    normalize: Callable[[str], str] | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the tokens of a step have to end with.

    Attributes:
        text: The completion.
        spans: Its partition.
        ends: Tokens of which one ends the turn; none of them if the turn was cut off.
        has_markup: Special tokens in the text may be meant as such.
    """

    text: str
    spans: tuple[Span, ...]
    ends: tuple[int, ...]
    has_markup: bool = False


@dataclass(frozen=True, slots=True)
class Straddler:
    """A token that holds characters of two spans: what it has before the border and after it, and its kind."""

    before: str
    after: str
    kind: SpanKind


@dataclass(frozen=True, slots=True)
class Walk:
    """A completion, found in the tokens of its step.

    Attributes:
        start: Where its tokens begin; all before it are context.
        kinds: Kind of each token from there on, the end of the turn included, int8.
        straddlers: Those that hold characters of two spans.
        normalized: The tokens spell what the tokenizer's normaliser makes of the completion.
    """

    start: int
    kinds: np.ndarray
    straddlers: tuple[Straddler, ...]
    normalized: bool

    def kinds_of_all(self) -> np.ndarray:
        """Kind of each token of the step, what stands before the completion included, int8."""
        return np.concatenate([np.zeros(self.start, np.int8), self.kinds])


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a completion is not in the tokens of its step: a check's name, what was found, and what would be right."""

    check: str
    found: str
    right: str


def read_spelling(tokenizer: PreTrainedTokenizerBase) -> Spelling:
    """What each id of a tokenizer stands for.

    Raises:
        TokenizationError: It is no fast tokenizer, or its vocabulary is neither byte-level nor SentencePiece's.
    """
    from transformers import PreTrainedTokenizerFast

    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise TokenizationError(f"expected a fast tokenizer, found {type(tokenizer).__name__}")
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    decoders = _names(state["decoder"])
    if not decoders & {"ByteLevel", "ByteFallback", "Metaspace"}:
        raise TokenizationError(
            f"the tokenizer's decoder is {', '.join(sorted(decoders)) or 'none'}; tokens can be audited for "
            "byte-level and SentencePiece vocabularies; audit the text alone, without a tokenizer"
        )
    byte_level = "ByteLevel" in decoders
    vocabulary = tokenizer.get_vocab()
    added = tokenizer.added_tokens_decoder
    of: list[bytes | None] = [None] * (1 + max(vocabulary.values()))
    for token, token_id in vocabulary.items():
        of[token_id] = _spell_byte_level(token) if byte_level else _spell_marked(token)
    for token_id, token in added.items():
        of[token_id] = token.content.encode()
    normalizer = tokenizer.backend_tokenizer.normalizer
    return Spelling(
        of=tuple(of),
        special=frozenset(token_id for token_id, token in added.items() if token.special),
        marks_spaces=not byte_level,
        normalize=None if normalizer is None or not byte_level else cast(Any, normalizer).normalize_str,
    )


def walk(ids: Sequence[int], said: Said, spelling: Spelling) -> Walk | Fault:
    """Finds a completion at the end of the tokens of its step, and the kind of each of its tokens.

    Args:
        ids: All tokens of the step: context, completion, end of turn.
        said: The completion.
        spelling: What ids stand for.
    """
    body = list(ids)
    if said.ends:
        if not body or body[-1] not in said.ends:
            ends = " or ".join(f"{_quoted(spelling.of[one] or b'')} (token {one})" for one in said.ends)
            found = f"the turn ends with {_quoted(_spell(body[-6:], spelling))}"
            return Fault("terminator", found, f"{ends} after the completion")
        body.pop()
    pieces = [said.text[span.start : span.end] for span in said.spans]
    found = _place(body, pieces, spelling)
    normalized = False
    if found is None and spelling.normalize is not None:
        pieces = [spelling.normalize(piece) for piece in pieces]
        found, normalized = _place(body, pieces, spelling), True
    if found is None:
        data = said.text.encode()
        tail = _spell(body[-len(data) - 1 :], spelling)[-len(data) :]
        what = "a token that reaches from context into it is before" if tail == data else "the tokens end with"
        return Fault("text", f"{what} {_quoted(tail)}", f"the completion, {_quoted(data)}, in tokens of its own")
    start, lead = found
    special = [one for one in body[start:] if one in spelling.special]
    if special and not said.has_markup:
        text = _quoted(spelling.of[special[0]] or b"")
        right = "the same characters as ordinary tokens"
        return Fault("special", f"{text} in the completion became token {special[0]}", right)
    kinds, straddlers = _kinds(body[start:], said, pieces, lead, spelling)
    kinds = np.append(kinds, np.int8(SpanKind.ACT)) if said.ends else kinds
    return Walk(start, kinds, straddlers, normalized)


def _place(body: list[int], pieces: list[str], spelling: Spelling) -> tuple[int, int] | None:
    """Where the tokens begin that spell the pieces, and bytes that they have before them (a space at most)."""
    text = "".join(pieces)
    data = (text.replace(_SPACE, " ") if spelling.marks_spaces else text).encode()
    start, length = len(body), 0
    while length < len(data) and start > 0:
        start -= 1
        length += len(spelling.of[body[start]] or b"")
    if spelling.marks_spaces and 0 < len(data) == length and start > 0 and spelling.of[body[start - 1]] == b" ":
        start, length = start - 1, length + 1  # the space that was put before the text, as a token of its own
    lead = length - len(data)
    if lead not in ((0, 1) if spelling.marks_spaces else (0,)):
        return None
    if _spell(body[start:], spelling) != b" " * lead + data:
        return None
    return start, lead


def _kinds(
    body: list[int], said: Said, pieces: list[str], lead: int, spelling: Spelling
) -> tuple[np.ndarray, tuple[Straddler, ...]]:
    """Kinds of tokens that spell the pieces: that of the piece that the first character lies in that is no space."""
    data = "".join(pieces).replace(_SPACE, " ").encode() if spelling.marks_spaces else "".join(pieces).encode()
    spaced = [piece.replace(_SPACE, " ") if spelling.marks_spaces else piece for piece in pieces]
    borders = np.fromiter(accumulate(len(piece.encode()) for piece in spaced), np.int64, len(spaced))  # ends of pieces
    of_piece = np.asarray([span.kind for span in said.spans], dtype=np.int8)
    ends = np.cumsum([len(spelling.of[one] or b"") for one in body], dtype=np.int64) - lead
    starts = np.maximum(0, np.concatenate([[-lead], ends[:-1]]))[: len(body)].astype(np.int64)
    kinds = (
        of_piece[np.minimum(np.searchsorted(borders, starts, side="right"), len(pieces) - 1)] if pieces else of_piece
    )
    straddlers: list[Straddler] = []
    for border in borders[:-1].tolist():
        token = int(np.searchsorted(ends, border, side="right"))
        start, end = int(starts[token]), int(ends[token])
        if not start < border < end:
            continue
        kind = int(of_piece[np.searchsorted(borders, _first_seen(data, start, end), side="right")])
        kinds[token] = kind
        straddlers.append(Straddler(_text(data[start:border]), _text(data[border:end]), SpanKind(kind)))
    return kinds, tuple(straddlers)


def _first_seen(data: bytes, start: int, end: int) -> int:
    """Where the first character begins that bytes ``[start, end)`` touch and that is no space; else the first one."""
    while data[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    position = start
    for character in data[start:end].decode():
        if not character.isspace():
            return position
        position += len(character.encode())
    return start


def _spell(ids: Sequence[int], spelling: Spelling) -> bytes:
    return b"".join(spelling.of[one] or b"" for one in ids)


def _quoted(data: bytes, limit: int = 48) -> str:
    text = _text(data)
    return repr(text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}")


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _names(part: Any) -> set[str]:
    """Types of a tokenizer's part and of all that it consists of."""
    if isinstance(part, dict):
        own = {part["type"]} if isinstance(part.get("type"), str) else set()
        return own.union(*map(_names, part.values()))
    return set().union(*map(_names, part)) if isinstance(part, list) else set()


def _spell_byte_level(token: str) -> bytes:
    return bytes(_BYTE_OF[character] for character in token) if _BYTE_OF.keys() >= set(token) else token.encode()


def _spell_marked(token: str) -> bytes:
    if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
        return bytes([int(token[3:5], 16)])
    return token.replace(_SPACE, " ").encode()


def _byte_alphabet() -> dict[str, int]:
    """The byte of each character of byte-level vocabularies: printable ones stand for themselves (GPT-2's table)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + index): byte for index, byte in enumerate(hidden)}


_BYTE_OF = _byte_alphabet()
