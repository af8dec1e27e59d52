"""What an audit sees in the tokens of trajectories: the rows that training would read, compared with their bytes."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanwise.data.pieces import Rendering, preamble_of
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_samples
from spanwise.errors import TokenizationError
from spanwise.traces.audit_findings import Distribution, Findings, distribution, shortened
from spanwise.traces.token_walk import Fault, Said, Spelling, read_spelling, walk
from spanwise.types import SUPERVISED_KINDS, SpanKind, Step, Trajectory

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What training would read.

    Attributes:
        by_kind: Tokens of each kind over all rows.
        per_step: Tokens of each kind that a learnt step has: what is read since the step before, and what is said.
        rows: Number of rows.
        row_length: Positions of a row.
        cut: Rows that are longer than the limit and lose their last steps.
        dropped: Rows that are longer than the limit and would lose all that is learnt.
        compared: Tokens whose kind was derived a second time.
        straddling: Those of them that hold characters of two spans.
    """

    by_kind: Mapping[SpanKind, int]
    per_step: Mapping[SpanKind, Distribution]
    rows: int
    row_length: Distribution
    cut: int
    dropped: int
    compared: int
    straddling: int


class TokenChecks:
    """Checks of what training would read, token by token."""

    def __init__(
        self, findings: Findings, tokenizer: PreTrainedTokenizerBase, rendering: Rendering, max_length: int | None
    ):
        self._add = findings.add
        self._tokenizer, self._rendering, self._max_length = tokenizer, rendering, max_length
        self._spelling: Spelling = read_spelling(tokenizer)
        self._ends = rendering.ends(tokenizer)
        self._known = np.asarray([one is not None for one in self._spelling.of])
        self._by_kind = np.zeros(len(SpanKind), dtype=np.int64)
        self._per_step: dict[SpanKind, Counter[int]] = {kind: Counter() for kind in SpanKind}
        self._lengths: Counter[int] = Counter()
        self._cut = self._dropped = self._compared = self._straddling = 0

    def read(self, trajectory: Trajectory) -> None:
        """Checks one trajectory, of which a step is there to learn."""
        stored = [(index, step.token_ids) for index, step in enumerate(trajectory.steps) if step.token_ids]
        unknown = [index for index, ids in stored if self._has_unknown(trajectory, index, ids)]
        if unknown:
            return
        try:
            rows = tokenize_samples(trajectory, self._tokenizer, self._rendering)
        except TokenizationError as error:
            reason = str(error).removeprefix(f"trajectory {trajectory.id!r}, ")
            self._add("unusable", trajectory.id, None, reason, "what training can read")
            return
        learnt: Counter[int] = Counter()
        for row in rows:
            self._check_row(trajectory, row, learnt)
        for index, step in enumerate(trajectory.steps):
            if learnt[index] != step.supervised:
                found = f"supervised in {learnt[index]} of {len(rows)} rows"
                self._add("coverage", trajectory.id, index, found, f"in {int(step.supervised)}")

    def _has_unknown(self, trajectory: Trajectory, step: int | None, ids: Sequence[int] | np.ndarray) -> bool:
        known, array = self._known, np.asarray(ids)
        inside = (array >= 0) & (array < len(known))
        unknown = array[~(inside & known[np.where(inside, array, 0)])]
        if len(unknown):
            self._add("token_id", trajectory.id, step, f"token {unknown[0]}", f"one of the {known.sum():,} there are")
        return len(unknown) > 0

    def _check_row(self, trajectory: Trajectory, row: TokenizedTrajectory, learnt: Counter[int]) -> None:
        """Checks a row; adds to ``learnt`` which steps it supervises."""
        # The first token is nobody's target.
        ids = np.concatenate([row.input_ids[:1], row.target_ids])
        kinds = np.concatenate([np.zeros(1, row.kind.dtype), row.kind])
        steps = np.concatenate([row.step[:1], row.step])
        self._lengths[len(row)] += 1
        self._by_kind += np.bincount(kinds, minlength=len(SpanKind))
        if self._has_unknown(trajectory, None, ids):
            return
        if not np.array_equal(row.input_ids[1:], row.target_ids[:-1]):
            self._add("shift", trajectory.id, None, "targets that are not shifted by one", "target[t] is input[t + 1]")
        if not kinds.any():
            self._add("nothing", trajectory.id, None, f"a row of {len(ids)} tokens, all CONTEXT", "a supervised token")
        self._check_length(trajectory, row)
        borders = np.flatnonzero(np.diff(steps)) + 1
        for begin, end in itertools.pairwise([0, *borders.tolist(), len(ids)]):
            step = int(steps[begin])
            if kinds[begin:end].any() and 0 <= step < len(trajectory.steps):
                learnt[step] += 1
                self._compare(trajectory, step, ids[begin:end], kinds[begin:end])

    def _compare(self, trajectory: Trajectory, index: int, ids: np.ndarray, kinds: np.ndarray) -> None:
        """Compares the kinds of a step's tokens with those that its bytes say."""
        step, place = trajectory.steps[index], (trajectory.id, index)
        self._compared += len(ids)
        ended = step.token_ids is None or any(one in self._ends for one in step.token_ids[-1:])
        ends = self._ends[:1] if step.token_ids is None else self._ends if ended else ()
        said = Said(step.completion, step.spans, ends, has_markup=step.token_ids is not None)
        found = walk(ids.tolist(), said, self._spelling)
        if step.token_ids is None and (isinstance(found, Fault) or (found.kinds_of_all() != kinds).any()):
            said = self._written(trajectory, index)
            found = walk(ids.tolist(), said, self._spelling)
        if isinstance(found, Fault):
            self._add(found.check, *place, found.found, found.right)
            return
        if said.text != step.completion:
            self._check_rewritten(trajectory.id, index, step, said)
        expected = found.kinds_of_all()
        wrong = np.flatnonzero(kinds != expected)
        if len(wrong):
            token = self._tokenizer.convert_ids_to_tokens(int(ids[wrong[0]]))
            text = f"{token!r}, {len(ids) - wrong[0]} from the step's end, is {SpanKind(kinds[wrong[0]]).name}"
            more = f" (one of {len(wrong)} such tokens)" if len(wrong) > 1 else ""
            self._add("kinds", *place, text + more, SpanKind(expected[wrong[0]]).name)
        if ended and kinds[-1] == SpanKind.CONTEXT:
            self._add("terminator", *place, "the end-of-turn token is CONTEXT", "ACT")
        if not ended:
            self._add("cut_off", *place, shortened(step.completion), "a completion that ends with the end of turn")
        if found.normalized:
            self._add("normalized", *place, shortened(step.completion), "text in the form that the tokenizer keeps")
        for one in found.straddlers:
            self._straddling += 1
            text = f"{one.before + one.after!r} is {one.kind.name}, the border after {one.before!r}"
            self._add("straddling", *place, text, "no other choice: a token has one kind")
        for kind, counter in self._per_step.items():
            counter[int((kinds == kind).sum())] += 1

    def _written(self, trajectory: Trajectory, index: int) -> Said:
        """A completion as the rendering writes it, which may be in its own way."""
        written = self._rendering.completion(trajectory.steps[: index + 1], preamble_of(trajectory))
        ends = self._ends[:1] if written.end is None else (written.end,)
        return Said(written.text, written.spans, ends, any(piece.markup for piece in written.pieces))

    def _check_rewritten(self, trajectory: str, index: int, step: Step, said: Said) -> None:
        """Makes sure that what is written still says what was said; calls have a form of their own, so not of these."""
        self._add("rewritten", trajectory, index, shortened(said.text), shortened(step.completion))
        kinds = SUPERVISED_KINDS if "<tool_call>" not in step.completion else (SpanKind.REASON,)
        for kind in kinds:
            text = "".join(said.text[span.start : span.end] for span in said.spans if span.kind is kind)
            lost = _words(step.text(kind)) - _words(text)
            if lost:
                found = f"no {min(lost)!r} in {shortened(text)}"
                self._add("lost", trajectory, index, found, shortened(step.text(kind)))

    def _check_length(self, trajectory: Trajectory, row: TokenizedTrajectory) -> None:
        if self._max_length is None or len(row) <= self._max_length:
            return
        kept = row.kind[row.step < row.step[self._max_length]]
        self._dropped += not kept.any()
        self._cut += bool(kept.any())
        self._add("overlong", trajectory.id, None, f"{len(row)} positions", f"{self._max_length} at most")

    def counts(self) -> TokenCounts:
        """What was counted."""
        return TokenCounts(
            by_kind={kind: int(self._by_kind[kind]) for kind in SpanKind},
            per_step={kind: distribution(counter) for kind, counter in self._per_step.items()},
            rows=self._lengths.total(),
            row_length=distribution(self._lengths),
            cut=self._cut,
            dropped=self._dropped,
            compared=self._compared,
            straddling=self._straddling,
        )


def _words(text: str) -> set[str]:
    """The words that are said; those of tags and markers are scaffold, which a template may write its own way."""
    return set(re.findall(r"\w+", re.sub(r"</?\w+>", "", text)))
