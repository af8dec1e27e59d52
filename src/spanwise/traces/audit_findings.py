"""What an audit can find, and where it found it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

#: Examples that a finding keeps.
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """What a check looks for, in words, and what it counts."""

    what: str
    unit: Literal["file", "trajectory", "row", "step", "token"]


#: What must not be trained on.
DEFECTS = {
    "vocabulary": Check("teacher and student have different vocabularies", "file"),
    "unusable": Check("cannot be tokenised", "trajectory"),
    "token_id": Check("token ids that the vocabulary does not have", "step"),
    "nothing": Check("nothing to learn", "trajectory"),
    "shift": Check("targets that are not the next inputs", "row"),
    "coverage": Check("learnt never or twice, or learnt though not supervised", "step"),
    "kinds": Check("tokens of the wrong kind", "step"),
    "text": Check("tokens that do not spell the completion", "step"),
    "lost": Check("words of a span are not in the tokens of its kind", "step"),
    "terminator": Check("no supervised end-of-turn token", "step"),
    "special": Check("text that became a special token", "step"),
    "made_up": Check("the agent says what only an environment can know", "step"),
}

#: What is worth a look.
WARNINGS = {
    "cut_off": Check("generated without an end of turn", "step"),
    "overlong": Check("longer than the limit", "row"),
    "straddling": Check("tokens that hold characters of two spans", "token"),
    "normalized": Check("the tokenizer changes the completion before reading it", "step"),
    "rewritten": Check("the chat template writes the completion in its own way", "step"),
    "copied": Check("the completion holds the whole next observation", "step"),
    "no_action": Check("no action that could be parsed", "step"),
    "no_act": Check("no ACT text", "step"),
    "no_act_at_all": Check("no ACT text in any step", "trajectory"),
    "other_cut": Check("spans lie elsewhere than where the style cuts", "step"),
    "unknown_style": Check("a style that spanwise does not know", "trajectory"),
    "repeated": Check("the same action after the same observation as before", "step"),
    "loop": Check("three or more equal actions in a row", "step"),
    "repeated_thought": Check("the same completion as before, thought included", "step"),
    "duplicate": Check("equal to an earlier trajectory", "trajectory"),
    "long_thought": Check("a very long thought", "step"),
    "white_space": Check("white space at an end of the completion", "step"),
    "control": Check("control characters", "step"),
    "mojibake": Check("text that looks wrongly decoded", "step"),
}


@dataclass(frozen=True, slots=True)
class Example:
    """Where something was found.

    Attributes:
        trajectory: Id of the trajectory; None where it is not about one.
        step: Number of the step, from 0; None where it is about the whole trajectory.
        found: What is there.
        right: What would be right.
    """

    trajectory: str | None
    step: int | None
    found: str
    right: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: Its name, a key of ``DEFECTS`` or ``WARNINGS``.
        what: What is wrong, in words.
        unit: What is counted.
        count: How often it was found.
        of: How many there are in all.
        examples: The first places.
    """

    check: str
    what: str
    unit: str
    count: int
    of: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A step (or with None a whole trajectory) with findings, and the names of the checks."""

    trajectory: str
    step: int | None
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Median, 95% quantile and maximum of whole numbers."""

    median: int
    q95: int
    max: int


class Findings:
    """Counts, the first examples, and every place; straddling tokens, which most files have, are no places."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[Example]] = {}
        self._places: dict[tuple[str, int | None], tuple[str, ...]] = {}

    def add(self, check: str, trajectory: str | None, step: int | None, found: str, right: str) -> None:
        """Notes what a check found, and what would be right."""
        self._counts[check] += 1
        examples = self._examples.setdefault(check, [])
        if len(examples) < EXAMPLES:
            examples.append(Example(trajectory, step, found, right))
        if trajectory is not None and check != "straddling":
            before = self._places.get((trajectory, step), ())
            if check not in before:
                self._places[trajectory, step] = (*before, check)

    def of(self, checks: Mapping[str, Check], totals: Mapping[str, int]) -> tuple[Finding, ...]:
        """What some checks found, in their order.

        Args:
            checks: Those to tell of.
            totals: How many there are of each unit.
        """
        return tuple(
            Finding(name, check.what, check.unit, self._counts[name], totals[check.unit], tuple(self._examples[name]))
            for name, check in checks.items()
            if self._counts[name]
        )

    def places(self) -> tuple[Place, ...]:
        """Every place with a finding, in the order in which they were found."""
        return tuple(Place(trajectory, step, checks) for (trajectory, step), checks in self._places.items())


def shortened(text: str, limit: int = 60) -> str:
    """The text in quotes; a long one without its middle."""
    return repr(text if len(text) <= limit else f"{text[: limit // 2]} … {text[-limit // 2 :]}")


def distribution(counts: Counter[int]) -> Distribution:
    """Quantiles of numbers that are counted; all 0 if there is none."""
    if not counts:
        return Distribution(0, 0, 0)
    values = sorted(counts)
    below = np.cumsum([counts[value] for value in values])
    median, q95 = (values[int(np.searchsorted(below, part * below[-1]))] for part in (0.5, 0.95))
    return Distribution(median, q95, values[-1])
