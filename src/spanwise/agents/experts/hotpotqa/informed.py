"""The informed expert: it knows which facts the answer follows from, and says nothing that was not shown.

What it knows decides where it looks: which of the names seen it searches, which word it looks up. A page is searched
only by a name that the question, a page or a list of similar titles has shown; the answer is taken from a sentence that
was shown, or from the comparison of two such. Where the facts cannot be reached so, it goes on as the expert does.
"""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.hotpotqa.expert import put, recall
from spanwise.agents.experts.hotpotqa.memory import Memory
from spanwise.agents.experts.hotpotqa.policy import Decision, Solver, names_of
from spanwise.agents.experts.hotpotqa.question import Form
from spanwise.agents.experts.hotpotqa.text import plain, sentences
from spanwise.agents.experts.hotpotqa.wording import fitting, shortened
from spanwise.agents.experts.remarks import Remark
from spanwise.agents.protocol import Completion, History
from spanwise.environments.hotpotqa.encyclopedia import Encyclopedia
from spanwise.environments.hotpotqa.environment import sentences_of
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.tasks import HotpotqaTasks

#: A word that stands in more sentences than this is not looked up.
_MOST_RESULTS = 3


class InformedExpert:
    """Writes what the expert would write who had guessed right; never to be used as a student's opponent.

    Args:
        tasks: Know the facts of each task, and the pages.
        budget: Actions that an episode may have; the last one answers.
        thoughts_count: Turns that only think count as actions.
    """

    name = "informed"

    def __init__(self, tasks: HotpotqaTasks, budget: int = 7, thoughts_count: bool = False):
        self.tasks = tasks
        self.budget = budget
        self.thoughts_count = thoughts_count

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The next command of each episode, with the reason for it.

        Raises:
            TaskDataError: A task is unknown.
        """
        return [Completion(self._answer(history)) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""

    def _answer(self, history: History) -> str:
        memory, question = recall(history, self.thoughts_count), self.tasks.question(history.task_id)
        return put(InformedSolver(memory, self.budget, question, self.tasks.encyclopedia).decide(), history)


class InformedSolver(Solver):
    """Decides one turn from what is remembered, and from what the answer follows from.

    Args:
        memory: What is known of the episode.
        budget: Actions that an episode may have.
        question: The question, with its answer and its facts.
        encyclopedia: Where the pages are.
    """

    def __init__(self, memory: Memory, budget: int, question: Question, encyclopedia: Encyclopedia):
        super().__init__(memory, budget)
        self.gold = question
        self.article = encyclopedia.article
        self.titles = sorted(dict.fromkeys(title for title, _ in question.supporting_facts), key=self._place)

    def decide(self) -> Decision:
        """The next action, with the reason for it."""
        if self.left <= 1:
            return self._finish()
        for title in self.titles:
            page = self._page_titled(title)
            if page is None:
                if decision := self._search_title(title):
                    return decision
            elif page == self._open and self.left > 1 + 2 * self._unread and (decision := self._look_for(title, page)):
                return decision
        return self._finish() if not self._unread else super().decide()

    # Knowing

    def _place(self, title: str) -> int:
        """Where the question names a page; far away where it does not."""
        places = [found for name in names_of(title) if (found := plain(self.memory.question).find(plain(name))) >= 0]
        return min(places, default=1 << 20)

    @property
    def _unread(self) -> int:
        return sum(self._page_titled(title) is None for title in self.titles)

    def _page_titled(self, title: str) -> int | None:
        """Number of the passage that a page gave."""
        text = self.article(title)
        if text is None:
            return None
        start = plain(" ".join(sentences_of(text)[:1]))[:60]
        for number, passage in enumerate(self.memory.passages):
            if plain(passage.title) == plain(title) or (start and plain(passage.text).startswith(start)):
                return number
        return None

    # Acting

    def _search_title(self, title: str) -> Decision | None:
        """A search for a page by a name that was shown."""
        offered = [one for titles in self.memory.misses.values() for one in titles]
        if title in offered and self._can_search(title):
            wanted = next(miss for miss, titles in self.memory.misses.items() if title in titles)
            return Decision(
                (Remark("miss", {"name": wanted}), Remark("similar", {"title": title})), self._search(title)
            )
        for name in names_of(title):
            if not self._can_search(name):
                continue
            if plain(name) in plain(self.memory.question):
                return self._by_question(name)
            if (sentence := self._sentence_with(name)) and self.asked.form is Form.BRIDGE:
                return self._by_sentence(name, sentence)
        return None

    def _by_question(self, name: str) -> Decision:
        """A search for what the question names."""
        if not self.memory.turns:
            compared = self.asked.form is not Form.BRIDGE and name in self.asked.options
            other = next((one for one in self.asked.options if one != name), "")
            start = Remark("compare", {"one": name, "other": other}) if compared else Remark("begin", {"name": name})
            return Decision((self._on_question(), start), self._search(name))
        return Decision((*self._on_last(), Remark("next", {"name": name})), self._search(name))

    def _by_sentence(self, name: str, sentence: str) -> Decision:
        """A search for what a page named."""
        shown = sentence[plain(sentence).find(plain(name)) :][: len(name)]
        name = shown if plain(shown) == plain(name) else name
        return self._go_on(name, sentence)

    def _look_for(self, title: str, page: int) -> Decision | None:
        """A lookup of what is needed further down; None if it was shown or nothing leads to it."""
        cut = sentences_of(self.article(title) or "")
        shown = plain(self.memory.passages[page].text)
        needed = [number for number, sentence in enumerate(cut) if self._needs(title, sentence)]
        if not needed or any(plain(cut[number]).rstrip(".") in shown for number in needed):
            return None
        word = self._leading_to(needed[0], cut, page)
        return self._look_up(word) if word else None

    def _needs(self, title: str, sentence: str) -> bool:
        """Whether a sentence says what the answer, or the way to it, follows from."""
        last = title == self.titles[-1]
        if self.asked.form is Form.BRIDGE:
            wanted = [self.gold.answer] if last else [name for one in self.titles[1:] for name in names_of(one)]
            return any(_has(sentence, one) for one in wanted)
        facts = (self._fact(one, number) for one, number in self.gold.supporting_facts if one == title)
        return any(fact and plain(sentence).startswith(fact) for fact in facts)

    def _fact(self, title: str, number: int) -> str:
        """How a supporting sentence begins, in plain spelling; "" where its page has none of that number."""
        found = sentences(self.article(title) or "")[number : number + 1]
        return plain(found[0]).rstrip(".")[:60] if found else ""

    def _leading_to(self, number: int, cut: list[str], page: int) -> str:
        """A word of the question, or one usual for it, that soon leads to a sentence."""
        wanted = list(dict.fromkeys((*self.asked.outer, *self.asked.inner)))
        if (tried := self._continued()) and tried.lower() in cut[number].lower():
            return tried
        for word in self._look_ups(wanted):
            lowered = word.lower()
            before = sum(lowered in sentence.lower() for sentence in cut[:number])
            if lowered in cut[number].lower() and before < _MOST_RESULTS and not self._was_looked_up(word, page):
                return word
        return ""

    def _was_looked_up(self, word: str, page: int) -> bool:
        return (page, plain(word)) in self.memory.looked_up

    # Answering

    def _finish(self) -> Decision:
        """The answer, if what was shown says it; else what the expert would say."""
        gold = fitting(self.gold.answer)
        if self.asked.form is not Form.BRIDGE and self._facts_shown:
            remarks, answer = self._comparison()
            if plain(answer) == plain(gold):
                return self._say(remarks or self._last_beginning(), gold, sure=True)
            if plain(gold) in ("yes", "no") or gold in self.asked.options:
                return self._say(self._last_beginning(), gold, sure=True)
        pages = reversed(self.memory.passages)
        sentence = next((one for passage in pages for one in passage.all if _has(one, gold)), "")
        if not sentence:
            return super()._finish()
        return self._say((Remark("quote", {"sentence": shortened(sentence, gold)}),), gold, sure=True)

    def _last_beginning(self) -> tuple[Remark, ...]:
        """How the page begins that was read last."""
        firsts = [passage.sentences[0] for passage in self.memory.passages if passage.sentences]
        return tuple(Remark("quote", {"sentence": shortened(one)}) for one in firsts[-1:])

    @property
    def _facts_shown(self) -> bool:
        """Whether every fact was shown."""
        for title, number in self.gold.supporting_facts:
            page = self._page_titled(title)
            fact = self._fact(title, number)
            if page is None or not fact or fact not in plain(self.memory.passages[page].text):
                return False
        return True

    def _sentence_with(self, name: str) -> str:
        """The first sentence shown that names something."""
        return next((one for passage in self.memory.passages for one in passage.all if _has(one, name)), "")


def _has(sentence: str, words: str) -> bool:
    """Whether a sentence has some words, as whole ones."""
    return f" {_bare(words)} " in f" {_bare(sentence)} "


def _bare(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in plain(text)).split())
