"""Whether an episode was won, as far as its log says: in fields beside it, or in the environment's last words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

_SUCCESS_KEYS = (
    *(
        "success",
        "is_success",
        "successful",
        "succeeded",
        "task_success",
        "resolved",
        "is_correct",
        "correct",
        "passed",
    ),
    *("solved", "is_solved", "win", "won", "goal_achieved", "accomplished", "result", "outcome", "verdict", "status"),
)
_REWARD_KEYS = ("reward", "final_reward", "total_reward", "score", "final_score", "em", "exact_match", "max_reward")
_AROUND = (
    "info",
    "metadata",
    "meta",
    "result",
    "output",
    "reward_info",
    "test_result",
    "report",
    "evaluation",
    "eval",
    "metrics",
    "summary",
    "state",
)
_YES = ("true", "success", "successful", "succeeded", "ok", "pass", "passed", "correct", "solved", "resolved", "won")
_NO = ("false", "fail", "failed", "failure", "incorrect", "wrong", "unsolved", "unresolved", "lost")

_LAST_WORDS = (
    re.compile(r"Episode finished, reward ?= ?(\S+)"),
    re.compile(r"Your score \(min [\d.]+, max [\d.]+\): ?([\d.]+)"),
    re.compile(r"Answer is (CORRECT|INCORRECT)"),
    re.compile(r"^[^\w\n]{0,20}(?:final )?(?:reward|score) ?[:=] ?([\d.]+)[^\w\n]*$", re.IGNORECASE | re.MULTILINE),
    re.compile(r"\bwon ?= ?(True|False)\b"),
    re.compile(r"Result: Task (Success|Fail)"),
    re.compile(r"\*\*\* You have (won|lost) \*\*\*"),
)


def read_outcome(fields: dict[str, Any], last_words: str | None) -> tuple[bool | None, float | None]:
    """Success and reward of an episode; None each where nothing tells it.

    A reward within [0, 1] tells success by itself: it is 1, or it is not. Of other rewards it is not known what a full
    one would be.

    Args:
        fields: What stands beside the trajectory in its record.
        last_words: The last thing that the environment said.
    """
    tables = list(_tables(fields))
    success = next(
        (one for one in (_truth(table.get(key)) for table in tables for key in _SUCCESS_KEYS) if one is not None), None
    )
    reward = next(
        (one for one in (_number(table.get(key)) for table in tables for key in _REWARD_KEYS) if one is not None), None
    )
    if success is None and reward is None and last_words:
        for pattern in _LAST_WORDS:
            if found := pattern.findall(last_words):
                success, reward = _truth(found[-1]), _number(found[-1])
                break
    if success is None and reward is not None and 0 <= reward <= 1:
        success = reward >= 1
    if reward is None and success is not None:
        reward = float(success)
    return success, reward


def _tables(fields: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    yield {key.lower(): value for key, value in fields.items()}
    for key in _AROUND:
        inner = fields.get(key)
        if isinstance(inner, dict) and depth < 3:
            yield from _tables(inner, depth + 1)


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None


def _number(value: Any) -> float | None:
    """A reward; HotPotQA's programs write a truth value."""
    if not isinstance(value, (bool, int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
