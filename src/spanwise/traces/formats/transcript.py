"""Transcripts: one text with both sides of an episode, told apart by words at the start of lines.

``Thought 1:``, ``Action 1:`` are the agent's, ``Observation 1:`` the environment's, ``Question:`` (which logs may
number: ``3687 Question:``) begins an episode, and what programs print between episodes ends one. A
number must be the one that comes next, so that a page which happens to hold ``Action 7:`` stays an observation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from spanwise.traces.raw import RawEpisode, RawTurn

Role = Literal["agent", "environment", "task", "end"]

_WORDS: dict[str, Role] = {
    **dict.fromkeys(
        ("thought", "action", "actionpath", "actioninput", "act", "answer", "finalanswer", "think"), "agent"
    ),
    **dict.fromkeys(("observation", "obs"), "environment"),
    **dict.fromkeys(("question", "claim", "task", "instruction", "goal", "query"), "task"),
    **dict.fromkeys(("correctanswer", "tail"), "end"),
}
_MARK = re.compile(
    r"^[ \t]*(?:(?P<tail>-{5,}[ \t\r]*$|\{'steps':.*$|> Finished chain\.)|"
    r"(?:\d+[ ](?=Question:|Claim:))?(?P<star>\*{0,2})"
    r"(?P<word>Thought|THOUGHT|Think|Action[ ]?Path|Action[ _]Input|Action|ACTION|Act|Final Answer|Answer|"
    r"Observation|OBSERVATION|Obs|Question|Claim|Task|Instruction|Goal|Query|Correct answer)"
    r"(?:[ ](?P<number>\d+))?(?P=star)[ \t]*:(?P=star)[ \t]?)",
    re.MULTILINE,
)
#: The last words of environments that answer questions.
_ENDED = re.compile(r"Answer is (?:CORRECT|INCORRECT)|Episode finished")

#: How ReAct's programs print what an episode brought.
_SCORED = re.compile(r"'reward': ([\d.]+)")
_EXAMPLES = re.compile(r"\b(?:examples?|demonstrations?)\b", re.IGNORECASE)
_EXAMPLES_END = re.compile(r"\(END OF EXAMPLES?\)|^Here is the (?:task|question).*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a transcript, of one side; the segments of a text tile it.

    Attributes:
        role: Whose it is; ``task`` begins an episode, ``end`` is a remark after it.
        start: Where it begins, its marker included.
        begun: Where its text begins, after the marker.
        end: Where it ends.
    """

    role: Role
    start: int
    begun: int
    end: int


@dataclass(slots=True)
class _Reader:
    """Which markers count, as a text is read from the beginning."""

    numbered: bool
    state: Role | None = None
    begun: int = 0  # where the text of the segment begins that is being read
    number: int = 0

    def accepts(self, mark: re.Match[str], following: re.Match[str] | None, text: str) -> bool:
        word, number = _name(mark), mark["number"]
        role = _WORDS[word]
        if role == "task":
            return self._begins_episode(mark, following, text)
        if role == "end":
            return self.state in ("environment", "agent")
        if word in ("answer", "finalanswer"):
            return self.state in ("agent", "task")
        if not self.numbered:
            return role == "agent" or self.state == "agent"
        if number is None:
            return word == "actioninput" and self.state == "agent"
        if role == "environment":
            return self.state == "agent" and int(number) == self.number
        restarts = int(number) == 1 and self.state in ("environment", "end", "task")
        continues = int(number) == self.number and self.state == "agent"
        return restarts or continues or int(number) == self.number + 1

    def _begins_episode(self, mark: re.Match[str], following: re.Match[str] | None, text: str) -> bool:
        if mark["number"] is not None:
            return False
        if following is None:
            return self.state is None or self.state == "end"
        if self.numbered and following["number"] is not None:
            return int(following["number"]) == 1
        if self.state in (None, "end", "task"):
            return True
        if self.state == "environment" and _ENDED.match(text, self.begun):
            return True
        blank = text.endswith(("\n\n", "\n\r\n", "\n \n"), 0, mark.start())
        return blank or (_name(following) in ("answer", "thought") and self.state == "agent")


def tile(text: str) -> list[Segment]:
    """The segments of a text, which tile it; what stands before the first marker is the environment's."""
    marks = list(_MARK.finditer(text))
    numbered = any(one["number"] == "1" and _WORDS[_name(one)] == "agent" for one in marks)
    reader = _Reader(numbered)
    borders: list[tuple[Role, int, int]] = []
    for index, mark in enumerate(marks):
        following = marks[index + 1] if index + 1 < len(marks) else None
        if not reader.accepts(mark, following, text):
            continue
        role = _WORDS[_name(mark)]
        if role == "agent" and mark["number"] is not None:
            reader.number = int(mark["number"])
        elif role == "task":
            reader.number = 0
        if not (role == "agent" and borders and borders[-1][0] == "agent"):
            borders.append((role, mark.start(), mark.end()))
        if role != "agent" or reader.state != "agent":
            reader.begun = mark.end()
        reader.state = role
    if not borders or borders[0][1] > 0:
        borders.insert(0, ("environment", 0, 0))
    ends = [*(start for _, start, _ in borders[1:]), len(text)]
    return [Segment(role, start, begun, end) for (role, start, begun), end in zip(borders, ends, strict=True)]


def transcript_episodes(text: str) -> Iterator[RawEpisode]:
    """The episodes of a transcript; where examples stand before the task, that of the task alone."""
    segments = tile(text)
    groups: list[list[Segment]] = [[]]
    for segment in segments:
        if segment.role == "task" or _starts_anew(text, segment, groups[-1]):
            groups.append([])
        groups[-1].append(segment)
    lead = groups.pop(0) if not any(one.role == "agent" for one in groups[0]) else []
    prefix = text[: lead[-1].end] if lead else ""
    played = [group for group in groups if any(one.role == "agent" for one in group)]
    ends = [match.end() for match in _EXAMPLES_END.finditer(text) if played and match.end() <= played[-1][0].begun + 1]
    if len(played) > 1 and (_EXAMPLES.search(prefix) or ends):
        prefix, played = text[: played[-1][0].start], played[-1:]
    if lead and not any(one.role == "task" for group in played for one in group) and len(played) == 1:
        yield _episode(text, [*lead, *played[0]], None)
        return
    for group in played:
        yield _episode(text, group, prefix.strip() or None)


def _starts_anew(text: str, segment: Segment, group: list[Segment]) -> bool:
    """Whether an episode begins without a question: after the end of one, or because numbers begin again at 1."""
    if segment.role != "agent" or not any(one.role == "agent" for one in group):
        return False
    mark = _MARK.match(text, segment.start)
    return group[-1].role == "end" or bool(mark and mark["number"] == "1")


def _episode(text: str, segments: list[Segment], system: str | None) -> RawEpisode:
    """The episode of segments that begin with the task and alternate between the agent and its environment."""
    turns: list[RawTurn] = []
    heard: list[str] = []
    metadata: dict[str, str] = {}
    task = ""
    reward: float | None = None
    for segment in segments:
        if segment.role == "agent":
            turns.append(RawTurn("\n".join(heard), text[segment.start : segment.end].strip()))
            heard = []
        elif segment.role == "end":
            tail = text[segment.start : segment.end]
            if tail.lstrip().startswith("Correct answer:"):
                metadata["correct_answer"] = text[segment.begun : segment.end].strip().partition("\n")[0]
            if scored := _SCORED.search(tail):
                reward = float(scored[1])
        elif segment.role == "task":
            task = text[segment.begun : segment.end].strip()
            heard.append(text[segment.start : segment.end].strip())
        elif said := text[segment.begun : segment.end].strip():
            heard.append(said)
    return RawEpisode(
        turns=tuple(turns),
        style="react",
        task=task,
        system=system,
        final_observation="\n".join(heard) if heard else None,
        reward=reward,
        success=None if reward is None else reward >= 1,
        metadata=dict(metadata),
    )


def _name(mark: re.Match[str]) -> str:
    return "tail" if mark["tail"] is not None else re.sub("[ _]", "", mark["word"]).lower()
