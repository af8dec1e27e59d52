"""ReAct as one text, numbered or not: HotPotQA, FEVER, FireAct, KnowAgent, and LangChain's ``Action Input``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.formats.transcript import transcript_episodes
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

_AGENT = re.compile(r"^[ \t]*\*{0,2}(?:Thought|THOUGHT|Action|ACTION|Act)(?: (\d+))?\*{0,2}[ \t]*:", re.MULTILINE)
_QUESTION = re.compile(r"^(?:Question|Claim):", re.MULTILINE)
_ANSWER = re.compile(r"^(?:Final )?Answer:", re.MULTILINE)
_INPUT = re.compile(r"^[ \t]*Action[ _]Input:", re.MULTILINE)


def _numbered(body: Body) -> str | None:
    found = [mark[1] for mark in _AGENT.finditer(body.value)] if isinstance(body.value, str) else []
    numbers = [one for one in found if one]
    return f"{len(numbers)} markers such as 'Action {numbers[0]}:'" if numbers else None


def _plain(body: Body) -> str | None:
    if not isinstance(body.value, str):
        return None
    found = _AGENT.findall(body.value)
    if found and not any(found):
        return f"{len(found)} markers such as 'Thought:' and 'Action:'"
    question = None if found else _QUESTION.search(body.value)
    answered = question is not None and _ANSWER.search(body.value, question.end()) is not None
    return "'Question:' and 'Answer:'" if answered else None


def _langchain(body: Body) -> str | None:
    if isinstance(body.value, str) and (found := len(_INPUT.findall(body.value))):
        return f"{found} lines begin with 'Action Input:'"
    return None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    return transcript_episodes(body.value) if isinstance(body.value, str) else iter(())


NUMBERED = TraceFormat("ReAct with numbers (HotPotQA, FEVER)", _numbered, _episodes)
PLAIN = TraceFormat("ReAct without numbers (FireAct)", _plain, _episodes)
LANGCHAIN = TraceFormat("LangChain's Action and Action Input", _langchain, _episodes)
