"""Tags in one text, results included: Search-R1, R1-Searcher, verl-agent and others of reinforcement learning.

``<think>``, ``<search>``, ``<answer>`` are the agent's; ``<information>`` and other tags of results were put there by
the environment, in the middle of what reads like one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spanwise.traces.raw import Body, RawEpisode, RawTurn, TraceFormat

_NAMES = (
    "information|result|results|tool_response|tool_result|tool_call_result|observation|observations|output|"
    "search_result|search_results|documents|context|env|environment|function_results|execution_result|"
    "begin_of_documents"
)
_RESULT = re.compile(
    # Results that were cut to a length lack their end: they end where the agent goes on.
    rf"<\|?(?P<name>{_NAMES})\|?>.*?(?:</(?P=name)>|<\|end_of_documents\|>|\Z|(?=\n\s*<(?:think|search|answer)>))"
    r"|My previous action is invalid\..*?(?:Let me try again\.|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_RESULT_OPENS = re.compile(rf"<\|?(?:{_NAMES})\|?>|My previous action is invalid\.", re.IGNORECASE)
_AGENT = re.compile(r"<(?:think|search|answer|action|code|python|tool_call|tool|\|begin_of_query\|)>", re.IGNORECASE)
_ACT_ENDS = re.compile(r"</(?:search|answer|action|code|python|tool_call|tool)>|<\|end_of_query\|>", re.IGNORECASE)
_QUESTION = re.compile(r"(?:^|\n)(?:Question|question|Q):[ \t]*([^\n]+)")
#: Instructions speak of pairs of tags: "inside <think> and </think>", "within <think> </think> and ...".
_MENTION = re.compile(r"<(\w+)> (?:and </\1>|</\1> and\b)")
_ASKING = re.compile(r"\b[Qq]uestion:[ \t]*([^\n]+)")
_ASKED = ("question", "prompt", "query", "instruction", "input", "task")
_SPACE = re.compile(r"\s*")


def _evidence(body: Body) -> str | None:
    if not isinstance(body.value, str):
        return None
    tags = _AGENT.findall(body.value)
    kinds = sorted({tag.lower() for tag in tags})
    if kinds == ["<think>"] and not body.value.lstrip().lower().startswith("<think>"):
        return None  # a text about something else that holds a thought
    return f"{len(tags)} tags: {', '.join(kinds)}" if tags else None


def tags_episodes(body: Body) -> Iterator[RawEpisode]:
    """The episode of a text whose results stand in tags."""
    text = str(body.value)
    asked = body.prompt or next((str(body.fields[key]) for key in _ASKED if body.fields.get(key)), "")
    first = _first_tag(text)
    # Where the prompt is a field of its own, all of the text is the agent's; else what stands before the first tag.
    begun = 0 if body.prompt or first is None else first.start()
    opening = text[:begun].strip() or asked
    question = _QUESTION.search(opening) or (_ASKING.search(opening) if _MENTION.search(opening) else None)
    turns, final = _turns(text, begun, [opening] if opening else [])
    yield RawEpisode(tuple(turns), "tags", question[1].strip() if question else asked, final_observation=final)


def _first_tag(text: str) -> re.Match[str] | None:
    """The agent's first tag, which stands after instructions on tags: after their question, or their last pair."""
    first = _AGENT.search(text)
    if first is None or _MENTION.match(text, first.start()) is None:
        return first
    asked = _ASKING.search(text, first.start())
    begun = asked.end() if asked else max(one.end() for one in _MENTION.finditer(text))
    return _AGENT.search(text, begun)


def has_results(text: str) -> bool:
    """Whether a text holds results of an environment, opened and closed, and goes on after them."""
    result = _RESULT.search(text)
    return result is not None and result.end() < len(text.rstrip()) and "</" in result[0]


def _turns(text: str, position: int, heard: list[str]) -> tuple[list[RawTurn], str | None]:
    """The turns from a position on, and what was heard after the last.

    A turn ends with its command, or where results begin. What follows a command is the environment's: results in
    their tag, or all up to the agent's next tag.
    """
    turns: list[RawTurn] = []
    ends, opens = _Finder(_ACT_ENDS, text), _Finder(_RESULT_OPENS, text)
    while (position := _space_end(text, position)) < len(text):
        if (result := _RESULT.match(text, position)) is not None:
            heard.append(result[0])
            position = result.end()
            continue
        act, interrupted = ends.after(position), opens.after(position)
        end = act.end() if act else len(text)
        if interrupted is not None and interrupted.start() < end:
            end, act = interrupted.start(), None
        turns.append(RawTurn("\n".join(heard), text[position:end].strip()))
        heard, position = [], _space_end(text, end)
        if act is not None and _RESULT_OPENS.match(text, position) is None:
            following = _AGENT.search(text, position)
            end = following.start() if following else len(text)
            heard += [said] if (said := text[position:end].strip()) else []
            position = end
    return turns, "\n".join(heard) or None


@dataclass(slots=True)
class _Finder:
    """The next match of a pattern after positions that ascend, each stretch of the text searched once."""

    pattern: re.Pattern[str]
    text: str
    found: re.Match[str] | None = None
    exhausted: bool = False

    def after(self, position: int) -> re.Match[str] | None:
        if not self.exhausted and (self.found is None or self.found.start() < position):
            self.found = self.pattern.search(self.text, position)
            self.exhausted = self.found is None
        return self.found


def _space_end(text: str, start: int) -> int:
    space = _SPACE.match(text, start)
    assert space is not None
    return space.end()


FORMAT = TraceFormat("tags with results between them (Search-R1, verl-agent)", _evidence, tags_episodes)
