"""What an expert remembers of an episode: the question, the passages that it read, and what was not found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from spanwise.agents.experts.hotpotqa.text import plain, sentences

_QUESTION = re.compile(r"^\s*question:\s*", re.IGNORECASE)
_MISS = re.compile(r"^Could not find (?P<entity>.*)\. Similar: (?P<titles>\[.*\])\.?\s*$", re.DOTALL)
_RESULT = re.compile(r"^\(Result (?P<number>\d+) / (?P<of>\d+)\) (?P<text>.*)$", re.DOTALL)
_COMMAND = re.compile(r"^\s*(?P<verb>search|lookup|finish|think)\[(?P<words>.*)\]\s*$", re.IGNORECASE | re.DOTALL)
_NO_MORE = "No more results."
#: Longer passages are read up to here, in characters.
_MOST = 6000


@dataclass(slots=True)
class Passage:
    """What was read of one page.

    Attributes:
        title: What was searched for when it came up.
        wanted: What had been searched for in vain before, where the title was offered instead; otherwise the title.
        sentences: Its first sentences.
        found: Sentences that lookups found further down.
    """

    title: str
    wanted: str
    sentences: list[str]
    found: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Every sentence that was read of it, without repetitions."""
        return list(dict.fromkeys((*self.sentences, *self.found)))

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(self.all)


@dataclass(slots=True)
class Memory:
    """What is known of an episode.

    Attributes:
        question: What is asked.
        passages: Pages read, in order.
        misses: What was searched for in vain, and the titles offered instead.
        searched: What was searched for, in :func:`~spanwise.agents.experts.hotpotqa.text.plain` spelling.
        looked_up: (number of the passage, what was looked up in it), in plain spelling.
        exhausted: Of these, the ones that find nothing more.
        turns: Actions so far.
        last: What the last turn was answered with: ``question``, ``passage``, ``miss``, ``result``, ``no more``,
            ``other``.
        last_words: What the last turn searched for, or looked up.
    """

    question: str
    passages: list[Passage] = field(default_factory=list)
    misses: dict[str, list[str]] = field(default_factory=dict)
    searched: set[str] = field(default_factory=set)
    looked_up: set[tuple[int, str]] = field(default_factory=set)
    exhausted: set[tuple[int, str]] = field(default_factory=set)
    turns: int = 0
    last: str = "question"
    last_words: str = ""

    @property
    def text(self) -> str:
        """Everything that was read."""
        return " ".join(passage.text for passage in self.passages)


def remember(turns: Iterable[tuple[str, str | None]], observation: str, thoughts_count: bool = False) -> Memory:
    """What is known after some turns, whatever they were.

    Args:
        turns: (observation, command that answered it), in order; None: no command did.
        observation: What is to be answered now.
        thoughts_count: Turns without a command, and those that only think, count too.
    """
    turns = list(turns)
    first = turns[0][0] if turns else observation
    memory = Memory(question=_read_question(first))
    replies = [reply for reply, _ in turns[1:]] + [observation]
    for (_, action), reply in zip(turns, replies, strict=False):
        command = None if action is None else _COMMAND.match(action)
        idle = action is None or (command is not None and command["verb"].lower() == "think")
        memory.turns += thoughts_count or not idle
        _hear(memory, command, reply)
    return memory


def _read_question(observation: str) -> str:
    lines = observation.strip().splitlines()
    marked = [line for line in lines if _QUESTION.match(line)]
    return _QUESTION.sub("", marked[-1]) if marked else observation.strip()


def _hear(memory: Memory, command: re.Match[str] | None, reply: str) -> None:
    memory.last, memory.last_words = "other", ""
    if command is None:
        return
    verb, words = command["verb"].lower(), command["words"].strip()
    memory.last_words = words
    if verb == "search":
        memory.searched.add(plain(words))
        if miss := _MISS.match(reply):
            memory.misses[words] = read_titles(miss["titles"])
            memory.last = "miss"
        elif not reply.startswith("Invalid action"):
            wanted = next((one for one, titles in memory.misses.items() if words in titles), words)
            memory.passages.append(Passage(words, wanted, sentences(reply[:_MOST])))
            memory.last = "passage"
    elif verb == "lookup":
        key = (len(memory.passages) - 1, plain(words))
        memory.looked_up.add(key)
        result = _RESULT.match(reply)
        if result is not None and memory.passages:
            memory.passages[-1].found += sentences(result["text"][:_MOST])
            memory.last = "result"
        if result is None or result["number"] == result["of"]:
            memory.exhausted.add(key)
        if reply.strip() == _NO_MORE:
            memory.last = "no more"


def read_titles(text: str) -> list[str]:
    """Titles out of a list as Python prints one; never fails."""
    try:
        titles = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return re.findall(r"'([^']+)'", text)
    return [title for title in titles if isinstance(title, str)] if isinstance(titles, list) else []
