"""Trajectories as token arrays, kinds included: the one place that shifts inputs against targets.

``target_ids[t] == ids[t + 1]`` and ``kind[t]`` is the kind of ``target_ids[t]``, so no other file has to think about
the offset between what is read and what is predicted.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data.decisions import deciding, foretelling
from spanwise.data.pieces import NO_PREAMBLE, Piece, Preamble, Rendering, preamble_of
from spanwise.data.render import PLAIN
from spanwise.errors import TokenizationError
from spanwise.types import Span, SpanKind, Step, Trajectory

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedTrajectory:
    """A trajectory of ``T + 1`` tokens, ready for next-token training.

    Attributes:
        id: The trajectory's id.
        input_ids: What the model reads, int64 [T].
        target_ids: What it shall predict at each position, int64 [T].
        kind: SpanKind of each target, int8 [T].
        step: Step of each target, int32 [T].
        decides: Whether a word of its step's command begins in each target, bool [T]: in the command (ACT), or in
            the thought before it (REASON); see ``data/decisions.py``.
    """

    id: str
    input_ids: np.ndarray
    target_ids: np.ndarray
    kind: np.ndarray
    step: np.ndarray
    decides: np.ndarray

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def supervised(self) -> int:
        """Number of targets that are not context."""
        return len(self) - self.count(SpanKind.CONTEXT)

    def count(self, kind: SpanKind) -> int:
        """Number of targets of a kind."""
        return int((self.kind == kind).sum())

    def until(self, end: int) -> TokenizedTrajectory:
        """Its first ``end`` positions."""
        arrays = (self.input_ids, self.target_ids, self.kind, self.step, self.decides)
        return TokenizedTrajectory(self.id, *(one[:end] for one in arrays))


def context_ids(
    steps: Sequence[Step],
    observation: str,
    tokenizer: PreTrainedTokenizerBase,
    rendering: Rendering = PLAIN,
    preamble: Preamble = NO_PREAMBLE,
) -> list[int]:
    """Ids that a model reads between its last completion and its answer to ``observation``.

    Raises:
        TokenizationError: The rendering cannot carry the history, or changes what it wrote before.
    """
    with _naming_step(len(steps)):
        context = rendering.context(steps, observation, preamble)
        if context.changed is not None:
            raise TokenizationError(context.changed)
    return _piece_ids(context.pieces, tokenizer)


def read_on(
    ids: list[int],
    steps: Sequence[Step],
    observation: str,
    tokenizer: PreTrainedTokenizerBase,
    rendering: Rendering = PLAIN,
    preamble: Preamble = NO_PREAMBLE,
) -> list[int]:
    """Ids that a model reads before it answers ``observation``, of which it has read and said ``ids`` so far.

    They begin with ``ids``, unless the rendering changes now what it wrote before.

    Raises:
        TokenizationError: The rendering cannot carry the history.
    """
    with _naming_step(len(steps)):
        context = rendering.context(steps, observation, preamble)
    return ([] if context.changed is not None else ids) + _piece_ids(context.pieces, tokenizer)


def prompt_ids(
    steps: Sequence[Step],
    observation: str,
    tokenizer: PreTrainedTokenizerBase,
    rendering: Rendering = PLAIN,
    preamble: Preamble = NO_PREAMBLE,
) -> list[int]:
    """Ids that a model reads before it answers ``observation``: the same in training and in play.

    Raises:
        TokenizationError: The rendering cannot carry the history.
    """
    ids: list[int] = []
    for index, step in enumerate(steps):
        ids = read_on(ids, steps[:index], step.observation, tokenizer, rendering, preamble)
        if step.token_ids is not None:
            ids += step.token_ids
            continue
        with _naming_step(index):
            ids += _completion_ids(steps[: index + 1], tokenizer, rendering, preamble)[0]
    return read_on(ids, steps, observation, tokenizer, rendering, preamble)


def tokenize_trajectory(
    trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase, rendering: Rendering = PLAIN
) -> TokenizedTrajectory:
    """The token arrays of a trajectory, in one row.

    A token that straddles two spans takes the kind of its first character that is not a space. The end-of-turn token
    is ACT.

    Raises:
        TokenizationError: Stored ids do not spell the completion, the rendering cannot carry a step or changes earlier
            ones, or nothing would be supervised.
    """
    turns = _turns(trajectory, tokenizer, rendering)
    changed = next((turn for turn in turns if turn.changed is not None), None)
    if changed is not None:
        raise TokenizationError(f"trajectory {trajectory.id!r}, step {changed.step}: {changed.changed}")
    return _one_row(trajectory, turns)


def tokenize_samples(
    trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase, rendering: Rendering = PLAIN
) -> list[TokenizedTrajectory]:
    """The token arrays of a trajectory: one row, or one per supervised step where the rendering changes earlier steps.

    The row of a step has the id ``<trajectory>@<step>`` and that step throughout. What is read before its completion is
    :func:`prompt_ids`, earlier completions as the rendering writes them by then, and CONTEXT.

    Raises:
        TokenizationError: Stored ids do not spell the completion, the rendering cannot carry a step, or nothing would
            be supervised.
    """
    turns = _turns(trajectory, tokenizer, rendering)
    if all(turn.changed is None for turn in turns):
        return [_one_row(trajectory, turns)]
    rows: list[TokenizedTrajectory] = []
    read: list[int] = []
    for turn in turns:
        read = ([] if turn.changed is not None else read) + turn.context
        if any(turn.kinds):
            ids = read + turn.completion
            kinds = [int(SpanKind.CONTEXT)] * len(read) + turn.kinds
            decides = [False] * len(read) + turn.decides
            rows.append(_row(f"{trajectory.id}@{turn.step}", ids, kinds, [turn.step] * len(ids), decides))
        read = read + turn.completion
    if not rows:
        raise _nothing_supervised(trajectory, len(read))
    return rows


@dataclass(frozen=True, slots=True)
class OverlongReport:
    """What became of rows that exceed the length limit.

    Attributes:
        kept: Rows that are left.
        cut: Those of them that were cut after a step.
        dropped: Rows that are not left.
        samples: Trajectories that are a row per step, for the rendering changes earlier steps.
    """

    kept: int
    cut: int
    dropped: int
    samples: int = 0


def tokenize_all(
    trajectories: Iterable[Trajectory],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    overlong: str,
    rendering: Rendering = PLAIN,
) -> tuple[list[TokenizedTrajectory], OverlongReport]:
    """All trajectories as rows, see :func:`tokenize_samples`, none longer than ``max_length`` positions.

    Args:
        trajectories: What to tokenise.
        tokenizer: A fast tokenizer.
        max_length: Positions that a row may have.
        overlong: ``cut`` after the last step that fits (dropped if nothing supervised is left), or ``drop``.
        rendering: How histories become text.

    Raises:
        TokenizationError: Nothing is left, or a trajectory has nothing to supervise.
    """
    rows: list[TokenizedTrajectory] = []
    cut = dropped = samples = 0
    for trajectory in trajectories:
        found = tokenize_samples(trajectory, tokenizer, rendering)
        samples += found[0].id != trajectory.id
        for whole in found:
            row = whole if len(whole) <= max_length or overlong == "drop" else _until(whole, max_length)
            if len(row) > max_length or not row.supervised:
                dropped += 1
                continue
            cut += row is not whole
            rows.append(row)
    if not rows:
        raise TokenizationError(
            f"zero supervised tokens: no trajectory is left to train on ({dropped} dropped as longer than {max_length})"
        )
    return rows, OverlongReport(len(rows), cut, dropped, samples)


def _until(row: TokenizedTrajectory, max_length: int) -> TokenizedTrajectory:
    """The steps of a row that end within the limit."""
    end = int(np.searchsorted(row.step, row.step[max_length]))  # where the first step begins that does not
    return row.until(end)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A step as ids, and of each id of its completion, the end of turn included, its kind and whether it decides."""

    step: int
    context: list[int]
    changed: str | None
    completion: list[int]
    kinds: list[int]
    decides: list[bool]


def _turns(trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase, rendering: Rendering) -> list[_Turn]:
    preamble = preamble_of(trajectory)
    turns: list[_Turn] = []
    for index, step in enumerate(trajectory.steps):
        history = trajectory.steps[: index + 1]
        try:
            with _naming_step(index):
                context = rendering.context(history[:-1], step.observation, preamble)
                completion, kinds, decides = _completion_ids(history, tokenizer, rendering, preamble)
        except TokenizationError as error:
            raise TokenizationError(f"trajectory {trajectory.id!r}, {error}") from error
        if not step.supervised:
            kinds = [int(SpanKind.CONTEXT)] * len(completion)
        read = _piece_ids(context.pieces, tokenizer)
        turns.append(_Turn(index, read, context.changed, completion, kinds, decides))
    return turns


def _one_row(trajectory: Trajectory, turns: Sequence[_Turn]) -> TokenizedTrajectory:
    ids: list[int] = []
    kinds: list[int] = []
    steps: list[int] = []
    decides: list[bool] = []
    for turn in turns:
        ids += turn.context + turn.completion
        kinds += [int(SpanKind.CONTEXT)] * len(turn.context) + turn.kinds
        steps += [turn.step] * (len(turn.context) + len(turn.completion))
        decides += [False] * len(turn.context) + turn.decides
    if not any(kinds[1:]):
        raise _nothing_supervised(trajectory, len(ids))
    return _row(trajectory.id, ids, kinds, steps, decides)


def _row(name: str, ids: list[int], kinds: list[int], steps: list[int], decides: list[bool]) -> TokenizedTrajectory:
    """The one place that shifts."""
    array = np.asarray(ids, dtype=np.int64)
    return TokenizedTrajectory(
        id=name,
        input_ids=array[:-1],
        target_ids=array[1:],
        kind=np.asarray(kinds[1:], dtype=np.int8),
        step=np.asarray(steps[1:], dtype=np.int32),
        decides=np.asarray(decides[1:], dtype=np.bool_),
    )


def _nothing_supervised(trajectory: Trajectory, tokens: int) -> TokenizationError:
    return TokenizationError(
        f"trajectory {trajectory.id!r}: none of its {tokens} tokens would be supervised; "
        "expected at least one completion"
    )


@contextmanager
def _naming_step(index: int) -> Iterator[None]:
    try:
        yield
    except TokenizationError as error:
        raise TokenizationError(f"step {index}: {error}") from error


def _completion_ids(
    steps: Sequence[Step], tokenizer: PreTrainedTokenizerBase, rendering: Rendering, preamble: Preamble
) -> tuple[list[int], list[int], list[bool]]:
    """Ids of the last completion and of the end of its turn, the kind of each, and whether it decides."""
    step = steps[-1]
    if step.token_ids is None:
        written = rendering.completion(steps, preamble)
        text, spans = written.text, written.spans
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        begun = 0
        for piece in written.pieces:
            encoding = _encode(piece, tokenizer)
            ids += encoding["input_ids"]
            offsets += [(begun + start, begun + end) for start, end in encoding["offset_mapping"]]
            begun += len(piece.text)
        ended = [rendering.ends(tokenizer)[0] if written.end is None else written.end]
    else:
        text, spans = step.completion, step.spans
        ends = rendering.ends(tokenizer)
        ended = [one for one in step.token_ids[-1:] if one in ends]
        ids = list(step.token_ids[: len(step.token_ids) - len(ended)])
        offsets = _generated_offsets(ids, text, tokenizer)
    kinds = [int(kind) for kind in token_kinds(offsets, text, spans)]
    said, told = (find(offsets, text, spans, step.action) for find in (deciding, foretelling))
    decides = [one or other for one, other in zip(said, told, strict=True)]
    return ids + ended, kinds + [int(SpanKind.ACT)] * len(ended), decides + [False] * len(ended)


def _piece_ids(pieces: Sequence[Piece], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [token_id for piece in pieces for token_id in _encode(piece, tokenizer)["input_ids"]]


def _encode(piece: Piece, tokenizer: PreTrainedTokenizerBase) -> BatchEncoding:
    """Ids and character offsets of text alone.

    Outside markup, what reads like a special token is text and cannot end a turn.
    """
    return tokenizer(
        piece.text, add_special_tokens=False, split_special_tokens=not piece.markup, return_offsets_mapping=True
    )


def token_kinds(offsets: Sequence[tuple[int, int]], text: str, spans: Sequence[Span]) -> list[SpanKind]:
    """The kind of each token, by the span that its first character lies in that is not a space.

    Args:
        offsets: Character range of each token, in order.
        text: The completion.
        spans: Partition of ``text``.
    """
    kinds: list[SpanKind] = []
    index = 0
    for start, end in offsets:
        piece = text[start:end]
        first = min(start + len(piece) - len(piece.lstrip()) if piece.strip() else start, len(text) - 1)
        while spans[index].end <= first:
            index += 1
        while index and spans[index].start > first:  # tokens that share a character may step back
            index -= 1
        kinds.append(spans[index].kind)
    return kinds


@cache
def _byte_of() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {character: byte for byte, character in bytes_to_unicode().items()}


def _generated_offsets(ids: list[int], text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    """Character ranges of generated ids, from the bytes that they stand for.

    A token that ends inside a character covers it, as does the one that goes on with it.

    Raises:
        TokenizationError: The vocabulary is not byte-level, or the ids do not spell the text.
    """
    byte_of = _byte_of()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    special = set(tokenizer.all_special_ids)
    offsets: list[tuple[int, int]] = []
    spelled: list[str] = []
    length = 0
    for position, (token_id, token) in enumerate(zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True)):
        if token_id in special:
            decoded = decoder.decode(token.encode())
        elif token is None or any(character not in byte_of for character in token):
            raise TokenizationError(
                f"token {position} (id {token_id}, {token!r}) is not byte-level; generated ids can only be placed in "
                "text for byte-level vocabularies"
            )
        else:
            decoded = decoder.decode(bytes(byte_of[character] for character in token))
        spelled.append(decoded)
        unfinished = bool(decoder.getstate()[0])
        offsets.append((length, length + len(decoded) + unfinished))
        length += len(decoded)
    spelled.append(decoder.decode(b"", final=True))
    if "".join(spelled) != text:
        raise TokenizationError(
            f"the stored token ids spell {''.join(spelled)[:80]!r}, the completion is {text[:80]!r}"
        )
    return offsets
