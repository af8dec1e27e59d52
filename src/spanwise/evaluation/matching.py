"""How far one text of an agent is like another: thoughts by their words, commands by their name and arguments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import LCSseq

from spanwise.traces.tool_text import ToolCall, read_call

#: Letters and digits of any script; where no spaces part the words, each character is one.
_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")

_BRACKETS = re.compile(
    r"(?P<name>[\w.\-]+(?: [\w.\-]+){0,2})\s*(?:\[(?P<square>.*)\]|\((?P<round>.*)\))[;.]?", re.DOTALL
)
_ACTION_INPUT = re.compile(
    r"(?P<name>[^\n]+?)\s*\n\s*\*{0,2}action[ _]input\*{0,2}\s*:\s*(?P<arguments>.*)", re.DOTALL | re.I
)
_WORDS = re.compile(r"(?P<name>\S+(?:\s+to(?=\s))?)\s*(?P<arguments>.*)", re.DOTALL)
_CALLED = re.compile(r"([A-Za-z_][\w.]*)\s*\(")


@dataclass(frozen=True, slots=True)
class Command:
    """A command, taken apart.

    Attributes:
        name: What is done, in lower case.
        arguments: With what: text, or a list of JSON values, one for each tool call; white space is made even.
    """

    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class ActionMatch:
    """How far a command is like the reference.

    Attributes:
        exact: The same text, but for white space.
        name: The same name.
        arguments: The same name and the same arguments.
        argument_f1: F1 of the words of the arguments; 1 where neither has any.
    """

    exact: bool
    name: bool
    arguments: bool
    argument_f1: float


def words(text: str) -> list[str]:
    """The words of a text in lower case; what is between them does not count."""
    return _WORD.findall(text.lower())


def rouge_l(found: Sequence[str], reference: Sequence[str]) -> float:
    """ROUGE-L: F1 of the longest common subsequence of two lists of words; 1 where both are empty.

    On ASCII text the same as the package ``rouge-score`` without stemming. Source: Lin 2004.
    """
    return _f1(LCSseq.similarity(found, reference), len(found), len(reference))


def token_f1(found: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the words that two lists have in common, their order aside; 1 where both are empty."""
    return _f1((Counter(found) & Counter(reference)).total(), len(found), len(reference))


def match_actions(found: str | None, reference: str, style: str) -> ActionMatch:
    """How far a command is like the reference; not at all where there is none.

    Args:
        found: What an agent wants to do.
        reference: What was done.
        style: How both are written; see ``traces/segment.py``.
    """
    if found is None:
        return ActionMatch(False, False, False, 0.0)
    ours, theirs = read_command(found, style), read_command(reference, style)
    return ActionMatch(
        exact=_even(found) == _even(reference),
        name=ours.name == theirs.name,
        arguments=ours == theirs,
        argument_f1=token_f1(words(_as_text(ours.arguments)), words(_as_text(theirs.arguments))),
    )


def read_command(action: str, style: str) -> Command:
    """Name and arguments of a command.

    ``{"name": "go", "arguments": {"to": "box 2"}}`` (several calls have several names), ``go[box 2]``, ``go(box 2)``,
    ``go`` with ``Action Input: box 2`` below, or words: ``go to box 2`` is ``go to`` with ``box 2``. Code has the names
    of what it calls, and all of it as its arguments.
    """
    text = action.strip()
    if calls := _read_calls(text):
        return Command(
            " ".join(call.name.lower() for call in calls), [_even_argument(call.arguments) for call in calls]
        )
    if style == "code":
        return Command(" ".join(_CALLED.findall(text)).lower(), _even(text))
    if match := _BRACKETS.fullmatch(text):
        return Command(_even(match["name"]).lower(), _even(match["square"] or match["round"] or ""))
    if match := _ACTION_INPUT.fullmatch(text):
        return Command(_even(match["name"]).lower(), _even(match["arguments"]))
    if match := _WORDS.fullmatch(text):
        return Command(_even(match["name"]).lower(), _even(match["arguments"]))
    return Command("", "")


def _read_calls(text: str) -> list[ToolCall]:
    """The call that a text is, or those that its lines are; empty if it is anything else."""
    if (call := read_call(text)) is not None:
        return [call]
    calls = [read_call(line) for line in text.splitlines() if line.strip()]
    return [call for call in calls if call is not None] if None not in calls else []


def _even(text: str) -> str:
    return " ".join(text.split())


def _even_argument(value: Any) -> Any:
    """An argument whose texts have even white space."""
    if isinstance(value, dict):
        return {key: _even_argument(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_even_argument(inner) for inner in value]
    return _even(value) if isinstance(value, str) else value


def _as_text(arguments: Any) -> str:
    """The words of arguments, keys included, in an order of their own."""
    if isinstance(arguments, dict):
        return " ".join(f"{key} {_as_text(arguments[key])}" for key in sorted(arguments))
    if isinstance(arguments, list):
        return " ".join(map(_as_text, arguments))
    return str(arguments)


def _f1(common: int, found: int, reference: int) -> float:
    return 1.0 if found == reference == 0 else 2 * common / (found + reference)
