"""Transcripts: one text with both sides of an episode, told apart by labels at the start of lines.

``Thought 1:``, ``Action 1:`` are the agent's, ``Observation 1:`` the environment's, ``Question:`` (which logs may
number: ``3687 Question:``) begins an episode, and what programs print between episodes ends one. A number must be the
one that comes next, so that a page which happens to hold ``Action 7:`` stays an observation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise.traces.labels import labels
from spanwise.traces.raw import RawEpisode, RawTurn

Side = Literal["agent", "environment", "task", "end"]

_ROLES = ("reason", "act", "input", "observation", "task")
_LABELS = {ignore: labels(*_ROLES, ignore_case=ignore) for ignore in (True, False)}
_AGENT = labels("reason", "act", ignore_case=False)
#: Numbers that logs put before a question.
#: A chain that begins to print: what stands below, up to a label, is its first thought.
_ENTERING = re.compile(r"^> Entering new [^\n]*\n(?=\s*[^\s>])", re.MULTILINE)
#: Code in a fence or a tag, in which labels are words of a program.
_PROGRAM = re.compile(r"^[ \t]*```\w*[ \t]*\r?\n.*?^[ \t]*```|<code>(?:(?!<code>).)*?</code>", re.MULTILINE | re.DOTALL)
_COUNTED = re.compile(r"^\d+ (?=(?:Question|Claim):)", re.MULTILINE)
#: What programs print after an episode: rules, results, the right answer.
_TAIL = re.compile(
    r"^(?:-{5,}[ \t\r]*$|\{'steps':.*$|> Finished chain\.|Correct answer: *(?P<answer>.*)$)", re.MULTILINE
)
#: The last words of environments that answer questions, and the last commands of agents.
_ENDED = re.compile(r"Answer is (?:CORRECT|INCORRECT)|Episode finished")
_FINISH = re.compile(r"finish|answer|submit", re.IGNORECASE)
#: A command that is closed on its line, with text after a blank line that is not the agent's any more.
_CLOSED = re.compile(r"[ \t]*\w+\[[^\n]*\][ \t\r]*\n[ \t\r]*\n")
#: How ReAct's programs print what an episode brought.
_SCORED = re.compile(r"'reward': ([\d.]+)")
#: Labels of another sort in the same Markdown end what an agent said: programs write them.
_OTHERS = {
    "**": re.compile(r"^\*\*[^\W\d_][\w -]{0,40}(?::\*\*|\*\*:)", re.MULTILINE),
    "#": re.compile(r"^\#{1,4} +\S", re.MULTILINE),
}
_EXAMPLES = re.compile(r"\b(?:examples?|demonstrations?)\b", re.IGNORECASE)
_EXAMPLES_END = re.compile(r"\(END OF EXAMPLES?\)|^Here is the (?:task|question).*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a transcript, of one side; the segments of a text tile it.

    Attributes:
        side: Whose it is; ``task`` begins an episode, ``end`` is a remark after it.
        start: Where it begins, its label included.
        begun: Where its text begins, after the label.
        end: Where it ends.
        number: Of the agent's first label; None where it has none.
    """

    side: Side
    start: int
    begun: int
    end: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label: the side that it opens, its kind, where it stands, where its text begins, its number."""

    side: Side
    kind: str
    start: int
    begun: int
    number: int | None


@dataclass(slots=True)
class _Reader:
    """Which marks count, as a text is read from the beginning."""

    text: str
    numbered: bool
    acts: bool  # whether there are actions, or answers alone
    side: Side | None = None
    begun: int = 0  # where the text begins that is being read
    command: int = 0  # where the last command begins
    number: int = 0

    def accepts(self, mark: _Mark, following: _Mark | None) -> bool:
        """Whether a mark opens a segment here."""
        if mark.side == "task":
            return self._begins_episode(mark, following)
        if mark.side == "end":
            return self.side in ("environment", "agent")
        if mark.kind == "other":
            return self.side in ("agent", "end")
        if mark.kind == "answer":
            return self.side in ("agent", "task")
        if not self.numbered:
            return mark.side == "agent" or self.side == "agent"
        if mark.number is None:
            return mark.kind == "input" and self.side == "agent"
        if mark.side == "environment":
            return self.side == "agent" and mark.number == self.number
        restarts = mark.number <= 1 and self.side in ("environment", "end", "task")
        continues = mark.number == self.number and self.side == "agent"
        return restarts or continues or mark.number == self.number + 1

    def read(self, mark: _Mark) -> None:
        """Takes note of a mark that was accepted."""
        if mark.side == "agent":
            self.command = self.command if mark.kind == "reason" else mark.start
            self.number = self.number if mark.number is None else mark.number
        elif mark.side == "task":
            self.number = 0
        if mark.side != "agent" or self.side != "agent":
            self.begun = mark.begun
        self.side = mark.side

    def _begins_episode(self, mark: _Mark, following: _Mark | None) -> bool:
        if mark.number is not None:
            return False
        if self.numbered and following is not None and following.number is not None:
            return following.number <= 1
        if self.side in (None, "end", "task"):
            return True
        if following is None or following.side != "agent":
            return False
        if self.side == "environment" and _ENDED.match(self.text, self.begun):
            return True
        finished = _FINISH.search(self.text, self.command, mark.start) is not None
        if self.side == "agent":
            return finished
        return finished and following.kind in (("reason", "act") if self.acts else ("reason", "act", "answer"))


def tile(text: str) -> list[Segment]:
    """The segments of a text, which tile it; what stands before the first label is the environment's."""
    marks = _marks(text)
    numbers = [one.number for one in marks if one.side == "agent" and one.number is not None]
    reader = _Reader(text, bool(numbers) and numbers[0] <= 1, any(one.kind == "act" for one in marks))
    reader.number = numbers[0] - 1 if reader.numbered else 0
    accepted: list[_Mark] = []
    for index, mark in enumerate(marks):
        if reader.accepts(mark, marks[index + 1] if index + 1 < len(marks) else None):
            if not (mark.side == reader.side == "agent"):
                accepted.append(mark)
            reader.read(mark)
    if not accepted or accepted[0].start > 0:
        accepted.insert(0, _Mark("environment", "", 0, 0, None))
    ends = [*(one.start for one in accepted[1:]), len(text)]
    return [Segment(one.side, one.start, one.begun, end, one.number) for one, end in zip(accepted, ends, strict=True)]


def _marks(text: str) -> list[_Mark]:
    """All labels of a text outside of programs, in order; those in small letters only where the agent has no others."""
    found: list[_Mark] = []
    for mark in _LABELS[_AGENT.search(text) is None].finditer(text):
        number = None if mark["number"] is None else int(mark["number"])
        if mark["task"]:
            found.append(_Mark("task", "task", mark.start(), mark.end(), number))
        elif mark["observation"]:
            found.append(_Mark("environment", "observation", mark.start(), mark.end(), number))
        else:
            kind = "reason" if mark["reason"] else "input" if mark["input"] else "act"
            if mark["act"] and mark["act"].lower().endswith(("answer", "答案", "回答")):
                kind = "answer"
            found.append(_Mark("agent", kind, mark.start(), mark.end(), number))
    found += [
        _Mark("task", "task", mark.start(), text.index(":", mark.end()) + 1, None) for mark in _COUNTED.finditer(text)
    ]
    for mark in _ENTERING.finditer(text) if "> Entering new" in text else ():
        if not _LABELS[False].match(text, _line_of_words(text, mark.end())):
            found.append(_Mark("agent", "reason", mark.end(), mark.end(), None))
    for mark in _TAIL.finditer(text):
        begun = mark.end() if mark["answer"] is None else mark.start("answer")
        found.append(_Mark("end", "end", mark.start(), begun, None))
        # What stands below belongs to the next episode, if there is one.
        line_end = text.find("\n", mark.end()) + 1 or len(text)
        found.append(_Mark("environment", "other", line_end, line_end, None))
    agents = [text[one.start : one.begun] for one in found if one.side == "agent"]
    for sign, others in _OTHERS.items():
        if agents and all(sign in label for label in agents):
            known = {one.start for one in found}
            marks = (_Mark("environment", "other", one.start(), one.start(), None) for one in others.finditer(text))
            found += [one for one in marks if one.start not in known]
    fenced = "```" in text or "<code>" in text
    programs = [(block.start(), block.end()) for block in _PROGRAM.finditer(text)] if fenced else []
    found.sort(key=lambda one: one.start)
    outside: list[_Mark] = []
    index = 0
    for mark in found:
        while index < len(programs) and programs[index][1] <= mark.start:
            index += 1
        if index == len(programs) or mark.start <= programs[index][0]:
            outside.append(mark)
    return outside


def _line_of_words(text: str, start: int) -> int:
    """Where the next line begins that is not blank."""
    while start < len(text) and text[start].isspace():
        start += 1
    return text.rfind("\n", 0, start) + 1


def transcript_episodes(text: str, prompt: str = "", whole: bool = False) -> Iterator[RawEpisode]:
    """The episodes of a transcript; where examples stand before the task, that of the task alone.

    Args:
        text: The transcript.
        prompt: What stood before it: instructions, examples, the question.
        whole: Whether it is one trajectory, so that all but the last episode are examples.
    """
    if prompt:
        text, whole = prompt + ("" if prompt.endswith(("\n", ":", ": ")) else "\n") + text, True
    groups: list[list[Segment]] = [[]]
    first: Segment | None = None  # the agent's first segment of the group
    for segment in tile(text):
        if segment.side == "task" or (first is not None and _starts_anew(segment, first, groups[-1][-1])):
            groups.append([])
            first = None
        groups[-1].append(segment)
        first = segment if first is None and segment.side == "agent" else first
    lead = groups.pop(0) if not any(one.side == "agent" for one in groups[0]) else []
    prefix = text[: lead[-1].end] if lead else ""
    played = [group for group in groups if any(one.side == "agent" for one in group)]
    ended = any(match.end() <= played[-1][0].begun + 1 for match in _EXAMPLES_END.finditer(text)) if played else False
    if len(played) > 1 and (whole or ended or _EXAMPLES.search(prefix)):
        prefix, played = text[: played[-1][0].start], played[-1:]
    if lead and len(played) == 1 and not any(one.side == "task" for one in played[0]):
        yield _episode(text, [*lead, *played[0]], None)
        return
    for group in played:
        yield _episode(text, group, prefix.strip() or None)


def _starts_anew(segment: Segment, first: Segment, before: Segment) -> bool:
    """Whether an episode begins without a question: after the end of one, or because numbers begin again."""
    again = segment.side == "agent" and segment.number is not None and segment.number == first.number
    return before.side == "end" or again


def _episode(text: str, segments: Sequence[Segment], system: str | None) -> RawEpisode:
    """The episode of segments that begin with the task and alternate between the agent and its environment."""
    turns: list[RawTurn] = []
    heard: list[str] = []
    metadata: dict[str, str] = {}
    task = ""
    reward: float | None = None
    for segment in segments:
        said = text[segment.begun : segment.end].strip()
        if segment.side == "agent":
            end = _end_of_command(text, segment)
            turns.append(RawTurn("\n".join(heard), text[segment.start : end].strip()))
            heard = [rest] if (rest := text[end : segment.end].strip()) else []
        elif segment.side == "end":
            tail = text[segment.start : segment.end]
            if segment.begun < segment.end and tail.startswith("Correct answer:"):
                metadata["correct_answer"] = said.partition("\n")[0]
            if scored := _SCORED.search(tail):
                reward = float(scored[1])
        elif segment.side == "task":
            task = said
            heard.append(text[segment.start : segment.end].strip())
        elif said:
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


_ACT = labels("act")


def _end_of_command(text: str, segment: Segment) -> int:
    """Where an agent's text ends: after a command that is closed in brackets, a blank line is not its any more."""
    commands = list(_ACT.finditer(text, segment.start, segment.end))
    closed = _CLOSED.match(text, commands[-1].end(), segment.end) if commands else None
    return segment.end if closed is None else closed.end()
