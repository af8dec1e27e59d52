"""ReAct on WebShop: ``Action: search[...]``, ``click[...]``, ``think[...]``, each answered by ``Observation:``.

A log holds many episodes, each begun by ``Action: reset``, which no agent wrote, and followed by running averages:
episodes so far, reward, share of reward 1, share of failures. An episode's own reward is what the average tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat

#: Logs have a blank line before an action, which lines of pages that read like one have not.
_MARK = re.compile(
    r"(?:\A|(?:^|\n)[ \t\r]*\n)(?P<agent>Action: (?=[A-Za-z_]+(?:\[|[ \t\r]*$)))|^(?P<page>Observation:[ \t]?)",
    re.MULTILINE,
)
_RESET = re.compile(r"^Action: reset[ \t\r]*$", re.MULTILINE)
_AVERAGES = re.compile(r"^(\d+) ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)[ \t\r]*$", re.MULTILINE)
_BORDER = re.compile(r"^-{5,}[ \t\r]*$", re.MULTILINE)
INSTRUCTION = re.compile(r"Instruction:\s*(?:\[SEP\]\s*)?([^\n\[]+)")


def _episodes(body: Body) -> Iterator[RawEpisode]:
    text = str(body.value)
    starts = [match.start() for match in _RESET.finditer(text)] or [0]
    total, count = 0.0, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        averages = _AVERAGES.search(text, start, end)
        border = _BORDER.search(text, start, end)
        ends = [found.start() for found in (averages, border) if found is not None]
        reward = None
        if averages is not None:
            now, mean = int(averages[1]), float(averages[2])
            # Only an average over one more episode than the last tells that episode's reward.
            reward = round(now * mean - total, 6) if now == count + 1 else None
            total, count = now * mean, now
        yield _episode(text[start : min([end, *ends])], reward, text[: starts[0]].strip() if len(starts) == 1 else "")


def _episode(text: str, reward: float | None, system: str) -> RawEpisode:
    marks = list(_MARK.finditer(text))
    turns: list[RawTurn] = []
    heard: list[str] = [text[: marks[0].start()].strip()] if marks and text[: marks[0].start()].strip() else []
    for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(text)], strict=True):
        said = text[mark.start("agent") if mark["agent"] else mark.end() : end].strip()
        if mark["agent"] is None:
            heard.append(said)
        elif said != "Action: reset":
            turns.append(RawTurn("\n".join(heard), said))
            heard = []
    instruction = INSTRUCTION.search(text)
    return RawEpisode(
        tuple(turns),
        "react",
        instruction[1].strip() if instruction else "",
        system or None,
        "\n".join(heard).strip() if heard else None,
        success=None if reward is None else reward >= 1,
        reward=reward,
        stop_reason=None if reward is None else "success" if reward >= 1 else "done",
    )


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str) or "Action: " not in body.value:
        return None
    found = len(re.findall(r"^Action: (?:search|click|think)\[", body.value, re.MULTILINE))
    resets = len(_RESET.findall(body.value))
    if found and ("Webshop" in body.value or "WebShop" in body.value or resets or "[Buy Now]" in body.value):
        return f"{found} actions such as 'Action: click[' on WebShop's pages, {resets} begin with 'Action: reset'"
    return None


FORMAT = TraceFormat("ReAct on WebShop", _evidence, _episodes)
