"""ReAct as one text, numbered or not: HotPotQA, FEVER, FireAct, KnowAgent, and LangChain's ``Action Input``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from spanwise.traces.formats.transcript import transcript_episodes
from spanwise.traces.labels import labels
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

_ANY_CASE = labels("reason", "act", "input")
_CAPITALS = labels("reason", "act", "input", ignore_case=False)
_QUESTION = labels("task", ignore_case=False)


def _found(body: Body) -> list[re.Match[str]]:
    """The agent's labels of a text; those in small letters only where there are no others."""
    return _labels_of(body.value) if isinstance(body.value, str) else []


@lru_cache(maxsize=1)  # three formats ask in turn
def _labels_of(text: str) -> list[re.Match[str]]:
    return list(_CAPITALS.finditer(text)) or list(_ANY_CASE.finditer(text))


def _numbered(body: Body) -> str | None:
    numbered = [mark for mark in _found(body) if mark["number"]]
    return f"{len(numbered)} markers such as {numbered[0]['label']!r}" if numbered else None


def _plain(body: Body) -> str | None:
    found = _found(body)
    if not found or any(mark["number"] for mark in found) or not isinstance(body.value, str):
        return None
    if all((mark["act"] or "").lower().endswith("answer") for mark in found) and not _QUESTION.search(body.value):
        return None
    return f"{len(found)} markers such as {found[0]['label']!r}"


def _langchain(body: Body) -> str | None:
    inputs = [mark for mark in _found(body) if mark["input"]]
    return f"{len(inputs)} lines begin with {inputs[0]['label']!r}" if inputs else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    return transcript_episodes(body.value, body.prompt, body.whole) if isinstance(body.value, str) else iter(())


NUMBERED = TraceFormat("ReAct with numbers (HotPotQA, FEVER)", _numbered, _episodes)
PLAIN = TraceFormat("ReAct without numbers (FireAct)", _plain, _episodes)
LANGCHAIN = TraceFormat("LangChain's Action and Action Input", _langchain, _episodes)
