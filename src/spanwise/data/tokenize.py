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

from spanwise.data.render import PLAIN, Rendering
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
    """

    id: str
    input_ids: np.ndarray
    target_ids: np.ndarray
    kind: np.ndarray
    step: np.ndarray

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def supervised(self) -> int:
        """Number of targets that are not context."""
        return len(self) - self.count(SpanKind.CONTEXT)

    def count(self, kind: SpanKind) -> int:
        """Number of targets of a kind."""
        return int((self.kind == kind).sum())


def context_ids(
    steps: Sequence[Step], observation: str, tokenizer: PreTrainedTokenizerBase, rendering: Rendering = PLAIN
) -> list[int]:
    """Ids that a model reads between its last completion and its answer to ``observation``.

    Raises:
        TokenizationError: The rendering cannot carry the history.
    """
    with _naming_step(len(steps)):
        pieces = rendering.context(steps, observation)
    return [
        token_id for piece in pieces for token_id in _encode(piece.text, tokenizer, markup=piece.markup)["input_ids"]
    ]


def prompt_ids(
    steps: Sequence[Step], observation: str, tokenizer: PreTrainedTokenizerBase, rendering: Rendering = PLAIN
) -> list[int]:
    """Ids that a model reads before it answers ``observation``: the same in training and in play.

    Raises:
        TokenizationError: The rendering cannot carry the history.
    """
    ids: list[int] = []
    for index, step in enumerate(steps):
        ids += context_ids(steps[:index], step.observation, tokenizer, rendering)
        with _naming_step(index):
            rendering.check_completion(steps[: index + 1])
            ids += _completion_ids(step, tokenizer)[0] if step.token_ids is None else step.token_ids
    return ids + context_ids(steps, observation, tokenizer, rendering)


def tokenize_trajectory(
    trajectory: Trajectory, tokenizer: PreTrainedTokenizerBase, rendering: Rendering = PLAIN
) -> TokenizedTrajectory:
    """The token arrays of a trajectory.

    A token that straddles two spans takes the kind of its first character that is not a space. The end-of-turn token
    is ACT.

    Raises:
        TokenizationError: Stored ids do not spell the completion, the rendering cannot carry a step, or nothing would
            be supervised.
    """
    ids: list[int] = []
    kinds: list[int] = []
    steps: list[int] = []
    for index, step in enumerate(trajectory.steps):
        history = trajectory.steps[: index + 1]
        try:
            context = context_ids(history[:-1], step.observation, tokenizer, rendering)
            with _naming_step(index):
                rendering.check_completion(history)
                completion, completion_kinds = _completion_ids(step, tokenizer)
        except TokenizationError as error:
            raise TokenizationError(f"trajectory {trajectory.id!r}, {error}") from error
        if not step.supervised:
            completion_kinds = [int(SpanKind.CONTEXT)] * len(completion)
        ids += context + completion
        kinds += [int(SpanKind.CONTEXT)] * len(context) + completion_kinds
        steps += [index] * (len(context) + len(completion))
    if not any(kinds[1:]):
        raise TokenizationError(
            f"trajectory {trajectory.id!r}: none of its {len(ids)} tokens would be supervised; "
            "expected at least one completion"
        )
    array = np.asarray(ids, dtype=np.int64)
    return TokenizedTrajectory(
        id=trajectory.id,
        input_ids=array[:-1],
        target_ids=array[1:],
        kind=np.asarray(kinds[1:], dtype=np.int8),
        step=np.asarray(steps[1:], dtype=np.int32),
    )


@dataclass(frozen=True, slots=True)
class OverlongReport:
    """What became of trajectories that exceed the length limit."""

    kept: int
    cut: int
    dropped: int


def tokenize_all(
    trajectories: Iterable[Trajectory],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
    overlong: str,
    rendering: Rendering = PLAIN,
) -> tuple[list[TokenizedTrajectory], OverlongReport]:
    """All trajectories, none longer than ``max_length`` positions.

    Args:
        trajectories: What to tokenise.
        tokenizer: A fast tokenizer.
        max_length: Positions that a row may have.
        overlong: ``cut`` after the last step that fits (dropped if not even the first does), or ``drop``.
        rendering: How histories become text.

    Raises:
        TokenizationError: Nothing is left, or a trajectory has nothing to supervise.
    """
    rows: list[TokenizedTrajectory] = []
    cut = dropped = 0
    for trajectory in trajectories:
        row = tokenize_trajectory(trajectory, tokenizer, rendering)
        if len(row) > max_length:
            fits = int(row.step[max_length])  # the first step that does not end within the limit
            if overlong == "drop" or fits == 0:
                dropped += 1
                continue
            end = int(np.searchsorted(row.step, fits))
            row = TokenizedTrajectory(row.id, row.input_ids[:end], row.target_ids[:end], row.kind[:end], row.step[:end])
            cut += 1
        rows.append(row)
    if not rows:
        raise TokenizationError(
            f"zero supervised tokens: no trajectory is left to train on ({dropped} dropped as longer than {max_length})"
        )
    return rows, OverlongReport(len(rows), cut, dropped)


@contextmanager
def _naming_step(index: int) -> Iterator[None]:
    try:
        yield
    except TokenizationError as error:
        raise TokenizationError(f"step {index}: {error}") from error


def _completion_ids(step: Step, tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Ids of a completion and of the end of its turn, and the kind of each."""
    eos = tokenizer.eos_token_id
    if not isinstance(eos, int):
        raise TokenizationError("the tokenizer has no end-of-turn token (eos_token)")
    if step.token_ids is None:
        encoding = _encode(step.completion, tokenizer)
        ids, offsets = list(encoding["input_ids"]), list(encoding["offset_mapping"])
        ended = True
    else:
        ended = step.token_ids[-1:] == (eos,)
        ids = list(step.token_ids[:-1] if ended else step.token_ids)
        offsets = _generated_offsets(ids, step.completion, tokenizer)
    kinds = [int(kind) for kind in token_kinds(offsets, step.completion, step.spans)]
    if ended:
        ids.append(eos)
        kinds.append(int(SpanKind.ACT))
    return ids, kinds


def _encode(text: str, tokenizer: PreTrainedTokenizerBase, markup: bool = False) -> BatchEncoding:
    """Ids and character offsets of text alone.

    Outside markup, what reads like a special token is text and cannot end a turn.
    """
    return tokenizer(text, add_special_tokens=False, split_special_tokens=not markup, return_offsets_mapping=True)


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
