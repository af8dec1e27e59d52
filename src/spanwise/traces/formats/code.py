"""smolagents' code agents as text: ``Thought:``, code in ``Code:`` and a fence or in ``<code>``, ``Observation:``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from spanwise.traces.formats.transcript import transcript_episodes
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

_CODE = re.compile(r"^[ \t]*(?:Code:\s*$|<code>)|```(?:py|python)\n|<end_code>", re.MULTILINE)
_MARKED = re.compile(r"^[ \t]*(?:Thought|Observation):", re.MULTILINE)


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str) or not _MARKED.search(body.value):
        return None
    blocks = len(_CODE.findall(body.value))
    return f"{blocks} marks of code beside 'Thought:'" if blocks else None


def _episodes(body: Body) -> Iterator[RawEpisode]:
    for episode in transcript_episodes(str(body.value), body.prompt, body.whole):
        yield replace(episode, style="code")


FORMAT = TraceFormat("code agents (smolagents)", _evidence, _episodes)
