"""ReAct on ALFWorld and other text games: the agent's lines begin with ``>``, all others are the game's.

``> think: ...`` is a thought, which some harnesses answer with ``OK.`` and others not at all; KnowAgent adds
``> ActionPath: ...``. Lines of the agent with nothing between them are one completion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat

_LINE = re.compile(r"^> ?(?=\S)[^\n]*", re.MULTILINE)
_THOUGHT = re.compile(r"^> ?(?:think|action ?path)\b ?[:\[]", re.MULTILINE | re.IGNORECASE)
#: How ALFWorld's games begin; what stands before the last beginning, after a word of examples, is no episode.
_OPENING = re.compile(r"^(?:-= Welcome to TextWorld[^\n]*\s+)?You are in the middle of a room\.", re.MULTILINE)
_EXAMPLES = re.compile(r"\bexamples?\b", re.IGNORECASE)
GOAL = re.compile(r"Your task is to: *([^\n]*)")


def prompt_sign_episodes(text: str, whole: bool = False) -> Iterator[RawEpisode]:
    """The episodes of a text; where examples stand before the task, that of the task alone."""
    starts = [match.start() for match in _OPENING.finditer(text)] or [0]
    system = None
    if whole or _EXAMPLES.search(text[: starts[0]]):
        starts = starts[-1:]
    if text[: starts[0]].strip():
        system = text[: starts[0]].strip()
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield _episode(text[start:end], system)


def _episode(text: str, system: str | None) -> RawEpisode:
    turns: list[RawTurn] = []
    said: list[str] = []
    observation = ""
    position = 0
    for line in _LINE.finditer(text):
        between = text[position : line.start()].strip()
        if said and between:
            turns.append(RawTurn(observation, "\n".join(said)))
            observation, said = between, []
        elif between:
            observation = between
        said.append(line[0].rstrip())
        position = line.end()
    final: str | None = text[position:].strip() or None
    if said:
        turns.append(RawTurn(observation, "\n".join(said)))
    else:
        final = text.strip() or None
    goal = GOAL.search(text)
    return RawEpisode(tuple(turns), "think", goal[1].strip() if goal else "", system, final)


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str) or not (body.value.startswith(">") or "\n>" in body.value):
        return None
    thoughts, lines = len(_THOUGHT.findall(body.value)), len(_LINE.findall(body.value))
    if thoughts and thoughts <= lines:
        return f"{lines} lines begin with '>', {thoughts} of them with a thought"
    if lines and GOAL.search(body.value):
        return f"{lines} lines begin with '>' after 'Your task is to:'"
    return None


FORMAT = TraceFormat(
    "ReAct on text games (ALFWorld, KnowAgent)",
    _evidence,
    lambda body: prompt_sign_episodes(body.value, body.whole) if isinstance(body.value, str) else iter(()),
)
