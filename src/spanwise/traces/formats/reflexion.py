"""Reflexion logs: trials of many episodes each, told apart by headers, with verdicts.

``BEGIN TRIAL 2``, then sections ``BEGIN CORRECT AGENTS`` (HotPotQA), or ``Environment #3:`` up to ``STATUS: FAIL``
(ALFWorld, WebShop). The verdict of a section is that of its episodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from spanwise.traces.formats.prompt_sign import prompt_sign_episodes
from spanwise.traces.formats.transcript import transcript_episodes
from spanwise.traces.raw import Body, RawEpisode, TraceFormat

_HEADER = re.compile(
    r"^(?:#{5,}[ \t\r]*\n)?(?:BEGIN TRIAL (?P<trial>\d+)|-+ BEGIN (?P<verdict>[A-Z]+) AGENTS? -+|"
    r"\*+ Start Trial #?(?P<start>\d+) \*+|(?:#{5,}\s+)?Environment #(?P<game>\d+):)[ \t\r]*(?:\n|\Z)",
    re.MULTILINE,
)
#: One of these is in every header.
_WORDS = ("BEGIN ", "Start Trial", "Environment #")
_STATUS = re.compile(r"^STATUS: (OK|FAIL)[^\n]*", re.MULTILINE)
_TRIAL_END = re.compile(r"^(?:#{5,}|Trial summary:|\*+ End Trial|-----+\s*\nSUCCESS:)[^\n]*", re.MULTILINE)

#: Verdicts of sections: success, and how the episodes ended.
_VERDICTS = {"CORRECT": (True, "success"), "INCORRECT": (False, "done"), "HALTED": (False, "budget")}


def _episodes(body: Body) -> Iterator[RawEpisode]:
    text = str(body.value)
    headers = list(_HEADER.finditer(text))
    trial = 0
    for header, end in zip(headers, [*(one.start() for one in headers[1:]), len(text)], strict=True):
        trial = int(header["trial"] or header["start"] or trial)
        section = text[header.end() : end]
        status = _STATUS.search(section)
        stop = status or _TRIAL_END.search(section)
        section = section[: stop.start()] if stop else section
        said: dict[str, object] = {"trial": trial}
        if header["game"] is not None:
            said["environment_index"] = int(header["game"])
        success, reason = _VERDICTS.get(header["verdict"] or "", (None, None))
        if status is not None:
            success, reason = (True, "success") if status[1] == "OK" else (False, "done")
        games = prompt_sign_episodes(section) if re.search(r"^> ?\S", section, re.MULTILINE) else None
        for episode in games if games is not None else transcript_episodes(section):
            if episode.turns:
                found = episode.success if success is None else success
                metadata = {**episode.metadata, **said}
                yield replace(episode, success=found, stop_reason=reason or episode.stop_reason, metadata=metadata)


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str) or not any(word in body.value for word in _WORDS):
        return None
    headers = list(_HEADER.finditer(body.value))
    named = {"BEGIN TRIAL": sum(one["trial"] is not None for one in headers)}
    named["Environment #"] = sum(one["game"] is not None for one in headers)
    told = [f"{count} headers '{name}'" for name, count in named.items() if count]
    return ", ".join(told) or None


FORMAT = TraceFormat("Reflexion's logs of trials", _evidence, _episodes)
