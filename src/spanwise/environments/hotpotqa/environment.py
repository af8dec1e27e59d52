"""An episode over an encyclopedia by the rules of ReAct's agents: search, look up, finish, think.

What is said is what the original says, to the character: a page is its text cut at ``". "``, every part with a full
stop of its own (so that a text's last one is doubled); a search that fails leaves the page that was open, and what was
looked up on it; an ambiguous name is searched for again in brackets, which no title has, so that similar titles are
shown.

Source: ReAct (arXiv 2210.03629), ``wikienv.py`` and ``wrappers.py``.
"""

from __future__ import annotations

from spanwise.environments.hotpotqa.encyclopedia import Encyclopedia
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.scoring import exact_match, f1
from spanwise.environments.protocol import Outcome

#: Sentences that a search shows.
SHOWN = 5
#: Titles that a search that fails shows.
SIMILAR = 5
#: What makes a page a list of the meanings of a name.
AMBIGUOUS = "may refer to:"


def sentences_of(text: str) -> list[str]:
    """The sentences of a page, cut as the original cuts them."""
    paragraphs = (paragraph.strip() for paragraph in text.split("\n"))
    parts = (part.strip() for paragraph in paragraphs for part in paragraph.split(". "))
    return [f"{part}." for part in parts if part]


class Reader:
    """One reader of an encyclopedia: the page that is open, and how far the reader got in looking something up."""

    def __init__(self, encyclopedia: Encyclopedia):
        """No page is open."""
        self._encyclopedia = encyclopedia
        self._sentences: list[str] = []
        self._wanted: str | None = None
        self._results: list[str] = []
        self._shown = 0

    def search(self, entity: str) -> str:
        """Opens a page and says how it begins; or says which titles are similar, and leaves everything as it was."""
        text = self._encyclopedia.article(entity)
        if text is not None and AMBIGUOUS in text:
            text, entity = None, f"[{entity}]"
        if text is None:
            return f"Could not find {entity}. Similar: {self._encyclopedia.similar(entity, SIMILAR)}."
        self._sentences, self._wanted = sentences_of(text), None
        return " ".join(self._sentences[:SHOWN])

    def look_up(self, wanted: str) -> str:
        """The next sentence of the open page that has the wanted words; a new wish begins anew."""
        if wanted != self._wanted:
            lowered = wanted.lower()
            self._results = [sentence for sentence in self._sentences if lowered in sentence.lower()]
            self._wanted, self._shown = wanted, 0
        if self._shown == len(self._results):
            return "No more results.\n"
        self._shown += 1
        return f"(Result {self._shown} / {len(self._results)}) {self._results[self._shown - 1]}"


class HotpotqaEnvironment:
    """One episode; see :class:`spanwise.environments.protocol.Environment`. Reward is F1, success an exact match."""

    def __init__(self, encyclopedia: Encyclopedia, question: Question):
        """An episode that begins with the question."""
        self._reader = Reader(encyclopedia)
        self._question = question
        self._end: Outcome | None = None

    def reset(self) -> str:
        """The question."""
        return f"Question: {self._question.text}"

    def step(self, action: str) -> Outcome:
        """Carries out an action; once the question is answered, nothing changes any more."""
        if self._end is not None:
            return self._end
        action = action.strip()
        if (entity := _argument(action, "search")) is not None:
            return _goes_on(self._reader.search(entity))
        if (wanted := _argument(action, "lookup")) is not None:
            return _goes_on(self._reader.look_up(wanted))
        if (answer := _argument(action, "finish")) is not None:
            self._end = self._judge(answer)
            return self._end
        if _argument(action, "think") is not None:
            return _goes_on("Nice thought.")
        return _goes_on(f"Invalid action: {action}", valid=False)

    def close(self) -> None:
        """There is nothing to free."""

    def _judge(self, answer: str) -> Outcome:
        right = exact_match(answer, self._question.answer)
        reward = f1(answer, self._question.answer)
        return Outcome(f"Episode finished, reward = {int(right)}\n", reward, done=True, success=right)


def _argument(action: str, verb: str) -> str | None:
    """What stands in the brackets after the verb; None if the action is another."""
    if action.startswith(f"{verb}[") and action.endswith("]"):
        return action[len(verb) + 1 : -1]
    return None


def _goes_on(observation: str, valid: bool = True) -> Outcome:
    return Outcome(observation, 0.0, done=False, success=False, valid=valid)
