"""The HotPotQA expert's plan: read what the question names, find there what leads on, read that, and answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz import fuzz

from spanwise.agents.experts.hotpotqa import compare
from spanwise.agents.experts.hotpotqa.lexicon import LOOKED_UP, NOUNS, Kind, word_set
from spanwise.agents.experts.hotpotqa.memory import Memory
from spanwise.agents.experts.hotpotqa.question import Asked, Form, called, noun_kind, read_question, same_name
from spanwise.agents.experts.hotpotqa.reader import ENOUGH, Find, Wish, find, says_is_a, subject_of, weights
from spanwise.agents.experts.hotpotqa.text import plain, stem, stems
from spanwise.agents.experts.hotpotqa.wording import fitting, last_words, shortened
from spanwise.agents.experts.remarks import Remark

#: How alike a title must be to be taken for a name, in [0, 100].
_ALIKE = 84
#: Nouns that say what a thing is, not how it relates to another.
_PLAIN = word_set("""
    person man woman town city village country county company team club band group film movie book novel album song
    university college school river player place state year date name nationality
    """)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why."""

    remarks: tuple[Remark, ...]
    action: str


class Solver:
    """Decides one turn from what is remembered.

    Args:
        memory: What is known of the episode.
        budget: Actions that an episode may have.
    """

    def __init__(self, memory: Memory, budget: int):
        self.memory = memory
        self.left = budget - memory.turns
        self.asked: Asked = read_question(memory.question)

    def decide(self) -> Decision:
        """The next action, with the reason for it."""
        if self.left <= 1:
            return self._finish()
        if self.memory.last == "miss" and (decision := self._after_miss()):
            return decision
        return self._bridge() if self.asked.form is Form.BRIDGE else self._compare()

    # Two things compared

    def _compare(self) -> Decision:
        one, other = self.asked.options[:2]
        first, second = self._page_of(one), self._page_of(other)
        to_come = 1 + (2 if second is None else 0)
        point = self._point
        if point.names and self._open in (first, second) and self._open is not None and self.left > to_come:
            passage = self.memory.passages[self._open]
            key = (self._open, plain(point.names[0]))
            if compare.holds(point, passage) < 1.0 and key not in self.memory.exhausted:
                return self._look_up(point.names[0])
        if self._open in (first, second) and self._open is not None and self._value(self._open) is None:
            wanted = [key for key, weight in point.wish.near.items() if weight == 1.0] if point.wish is not None else []
            if self.left > to_come and (words := self._words_to_look_up(wanted)):
                return self._look_up(words)
        for name, page in ((one, first), (other, second)):
            if page is None and self._can_search(name):
                return self._search_option(name)
        return self._finish()

    @cached_property
    def _point(self) -> compare.Point:
        return compare.point_of(self.asked)

    def _search_option(self, name: str) -> Decision:
        if not self.memory.passages and not self.memory.misses:
            one, other = self.asked.options[:2]
            return Decision((self._on_question(), Remark("compare", {"one": one, "other": other})), self._search(name))
        return Decision((*self._on_last(), Remark("next", {"name": name})), self._search(name))

    def _value(self, page: int) -> Find | None:
        return compare.value(self._point, page, self.memory.passages[page])

    def _comparison(self) -> tuple[tuple[Remark, ...], str]:
        """The answer, and what it follows from."""
        one, other = self.asked.options[:2]
        pages = [self._page_of(name) for name in (one, other)]
        point = self._point
        values = [None if page is None else self._value(page) for page in pages]
        remarks: tuple[Remark, ...] = ()
        if values[0] is not None and values[1] is not None:
            words = {"one": one, "other": other, "first": values[0].text, "second": values[1].text}
            remarks = (Remark("both_values", words),)
            won = compare.wins(point, values[0], values[1])
            if self.asked.form is Form.AGREEMENT:
                if won is not None:
                    return remarks, "yes" if won else "no"
                return remarks, "yes" if compare.alike(values[0], values[1]) else "no"
            if won is not None:
                return remarks, one if won else other
        held = [0.0 if page is None else compare.holds(point, self.memory.passages[page]) for page in pages]
        if self.asked.form is Form.AGREEMENT:
            return remarks, "yes" if min(held) >= 0.99 else "no"
        if self.asked.form is Form.CHOICE:
            return remarks, other if held[1] > held[0] else one
        if point.wish is not None and None not in pages:
            both = [self.memory.passages[page] for page in pages if page is not None]
            if shared := compare.common_words(both[0], both[1], point.wish):
                return remarks, shared[0]
        known = next((value.text for value in values if value is not None), "")
        return remarks, known or one

    # One thing described by another

    def _bridge(self) -> Decision:
        memory, asked = self.memory, self.asked
        if not memory.passages:
            return self._search_next() or self._finish()
        if asked.inner_noun:
            lead = self._lead
            if lead is not None and self._page_of(lead.text) is None:
                if self._can_search(lead.text):
                    return self._follow(lead)
            elif lead is None:
                if self._open == self._home and (words := self._words_to_look_up([*asked.inner])):
                    return self._look_up(words)
                if decision := self._search_next():
                    return decision
        answer = self._answer
        if answer is not None and answer.support >= ENOUGH and self._settled(answer):
            return self._finish()
        if words := self._words_to_look_up([*asked.outer, stem(asked.noun)]):
            return self._look_up(words)
        if decision := self._search_next() or self._search_lead():
            return decision
        return self._finish()

    def _settled(self, answer: Find) -> bool:
        """Whether an answer may be given without a look at what else the question names."""
        if self.asked.inner_noun:
            return True
        return answer.support >= 0.5 * len([one for one in self.asked.outer if one != stem(self.asked.noun)])

    @cached_property
    def _home(self) -> int | None:
        """The page of the first name of the question that was found."""
        return next((page for name in self.asked.names if (page := self._page_of(name)) is not None), None)

    @cached_property
    def _lead(self) -> Find | None:
        """The name on the first page that is of the thing described; None where it does not say."""
        asked = self.asked
        if self._home is None or not asked.inner_noun:
            return None
        kind = noun_kind(asked.inner_noun)
        if kind not in (Kind.PERSON, Kind.PLACE):
            kind = Kind.NAME
        noun = stem(asked.inner_noun)
        rest = [one for one in asked.inner if one != noun]
        plain_noun = asked.inner_noun in _PLAIN and bool(rest)
        near = weights([(rest, 1.0), ([noun], 0.4 if plain_noun else 1.0)])
        finds = find(Wish(kind, asked.inner_noun, near, asked.names), [(self._home, self.memory.passages[self._home])])
        return next((one for one in finds if one.support >= ENOUGH), None)

    def _follow(self, lead: Find) -> Decision:
        return self._go_on(lead.text, lead.sentence)

    def _go_on(self, name: str, sentence: str) -> Decision:
        """A search for what a sentence names, in whose stead the question is asked again."""
        quote = Remark("quote", {"sentence": shortened(sentence, name)})
        if self.asked.described:
            now = self.asked.text.replace(self.asked.described, name, 1)
            after = Remark("now_asked", {"question": last_words(now)})
        else:
            after = Remark("leads", {"name": name})
        return Decision((quote, after, Remark("search", {"name": name})), self._search(name))

    def _search_lead(self) -> Decision | None:
        """A search for the likeliest name that was read and not searched for."""
        asked = self.asked
        near = weights([(asked.inner, 1.0), (asked.outer, 0.6)])
        pages = list(enumerate(self.memory.passages))
        finds = find(Wish(Kind.NAME, asked.inner_noun or asked.noun, near, asked.names), pages)
        for one in finds:
            if one.support >= ENOUGH and self._can_search(one.text) and self._page_of(one.text) is None:
                quote = Remark("quote", {"sentence": shortened(one.sentence, one.text)})
                remarks = (quote, Remark("leads", {"name": one.text}), Remark("search", {"name": one.text}))
                return Decision(remarks, self._search(one.text))
        return None

    def _search_next(self) -> Decision | None:
        """A search for the next name of the question."""
        for name in (*self.asked.names, *self._other_spellings()):
            if name and self._page_of(name) is None and self._can_search(name):
                if not self.memory.turns:
                    return Decision((self._on_question(), Remark("begin", {"name": name})), self._search(name))
                return Decision((*self._on_last(), Remark("next", {"name": name})), self._search(name))
        return None

    def _other_spellings(self) -> list[str]:
        """Shorter forms of the names that were not found, and titles offered instead, while nothing was read."""
        if self.memory.passages:
            return []
        if not self.asked.names:
            return [self.asked.noun]
        shorter = [name.split(" ", 1)[1] for name in self.asked.names if " " in name]
        return [*shorter, *(title for titles in self.memory.misses.values() for title in titles[:1])]

    @cached_property
    def _answer(self) -> Find | None:
        """The likeliest answer of all that was read."""
        asked = self.asked
        noun = stem(asked.noun)
        outer = [one for one in asked.outer if one != noun]
        lead_page = None if self._lead is None else self._page_of(self._lead.text)
        near = weights(
            [(outer, 1.0), ([noun], 0.5 if outer else 1.0), (asked.inner if lead_page is None else (), 0.15)]
        )
        pages = list(enumerate(self.memory.passages))
        if lead_page is not None:
            pages = [(lead_page, self.memory.passages[lead_page])]
        finds = find(Wish(asked.kind, asked.noun, near, asked.names), pages)
        if finds or lead_page is None:
            return finds[0] if finds else None
        finds = find(Wish(asked.kind, asked.noun, near, asked.names), list(enumerate(self.memory.passages)))
        return replace(finds[0], support=0.0) if finds else None

    # Answers

    def _finish(self) -> Decision:
        if self.asked.form is not Form.BRIDGE:
            remarks, answer = self._comparison()
            return self._say(tuple(remarks), answer, sure=bool(remarks))
        best = self._answer
        if best is not None:
            quote = Remark("quote", {"sentence": shortened(best.sentence, best.text)})
            return self._say((quote,), best.text, best.support >= ENOUGH)
        subjects = [subject_of(passage) for passage in self.memory.passages]
        fitting_one = [
            name for name, page in zip(subjects, self.memory.passages, strict=True) if says_is_a(page, self.asked.noun)
        ]
        answer = (fitting_one or subjects[-1:] or list(self.asked.names[:1]) or ["unknown"])[0]
        return self._say((), answer, sure=False)

    def _say(self, remarks: tuple[Remark, ...], answer: str, sure: bool) -> Decision:
        answer = fitting(answer) or "unknown"
        return Decision((*remarks, Remark("answer" if sure else "guess", {"answer": answer})), f"finish[{answer}]")

    # Searching and looking up

    def _after_miss(self) -> Decision | None:
        """One of the similar titles, if one is near enough to what was searched for."""
        wanted = self.memory.last_words
        for title in sorted(self.memory.misses.get(wanted, []), key=lambda title: -self._likeness(wanted, title)):
            if self._likeness(wanted, title) >= _ALIKE and self._can_search(title):
                remarks = (Remark("miss", {"name": wanted}), Remark("similar", {"title": title}))
                return Decision(remarks, self._search(title))
        return None

    def _likeness(self, wanted: str, title: str) -> float:
        """How alike a title is to what was searched for; above 100 where it is the same but for its parentheses."""
        asked = self.asked
        bare, _, inside = title.partition(" (")
        kinds = set(stems(inside))
        told = stems(self.memory.text)
        fit = 3.0 * len(kinds & set(called(asked.text, wanted)))
        if self._lead is not None and same_name(self._lead.text, wanted):
            fit += 2.0 * (stem(asked.inner_noun) in kinds) + sum(one in told for one in kinds) / 10
            fit += any(noun_kind(word.strip(")")) is noun_kind(asked.inner_noun) for word in inside.split())
        else:
            fit += len(kinds & asked.stems) - 2.0 * (bool(asked.inner_noun) and stem(asked.inner_noun) in kinds)
        if same_name(wanted, title):
            return 110.0 + fit
        if plain(wanted) in plain(bare) and plain(bare) in plain(asked.text):
            return 105.0 + fit
        return fuzz.token_sort_ratio(plain(wanted), plain(title))

    def _words_to_look_up(self, wanted: Sequence[str]) -> str:
        """What to look up on the open page; "" where there is nothing left, or no time."""
        memory = self.memory
        to_lead = 2 * (bool(self.asked.inner_noun) and self._open == self._home)
        if self._open is None or self.left <= 1 + to_lead:
            return ""
        if words := self._continued():
            return words
        for words in self._look_ups(list(dict.fromkeys(wanted))):
            if (self._open, plain(words)) not in memory.looked_up:
                return words
        return ""

    def _continued(self) -> str:
        """What was looked up last, if there is more of it."""
        memory = self.memory
        more = memory.last == "result" and (self._open, plain(memory.last_words)) not in memory.exhausted
        return memory.last_words if more else ""

    def _look_ups(self, wanted: Sequence[str]) -> list[str]:
        """Words that lookups may find something with, the likeliest first.

        Args:
            wanted: Stems of what is looked for.
        """
        raw = [word.strip("\"'?,.;:()") for word in self.memory.question.split()]
        usual = [words for key in wanted for words in LOOKED_UP.get(key, ())[:1]]
        own = [word for key in wanted for word in raw if word.islower() and stem(word) == key and word not in _PLAIN]
        own.sort(key=lambda word: word not in NOUNS)
        noun = self.asked.noun if self.asked.kind not in (Kind.YEAR, Kind.DATE, Kind.PERSON) else ""
        if self.asked.form is not Form.BRIDGE and self._point.wish is not None:
            noun = self._point.wish.noun
        if noun in raw and (self._open != self._home or self.asked.form is not Form.BRIDGE):
            own.insert(0 if noun in _PLAIN and "locate" in wanted else len(own), noun)
        return [*usual, *own, *(words for key in wanted for words in LOOKED_UP.get(key, ())[1:])]

    def _look_up(self, words: str) -> Decision:
        if self.memory.last == "no more":
            first = Remark("no_more", {"words": self.memory.last_words})
        else:
            first = Remark("silent")
        return Decision((first, Remark("look_up", {"words": words})), f"lookup[{fitting(words)}]")

    @property
    def _open(self) -> int | None:
        """Number of the page that is open."""
        return len(self.memory.passages) - 1 if self.memory.passages else None

    def _page_of(self, name: str) -> int | None:
        """Number of the page that was read for a name."""
        for number, passage in enumerate(self.memory.passages):
            if same_name(passage.title, name) or same_name(passage.wanted, name):
                return number
        return None

    def _search(self, name: str) -> str:
        return f"search[{fitting(name)}]"

    def _can_search(self, name: str) -> bool:
        return bool(fitting(name)) and plain(fitting(name)) not in self.memory.searched

    # What is said

    def _on_question(self) -> Remark:
        return Remark("asked", {"question": last_words(self.asked.text)})

    def _on_last(self) -> tuple[Remark, ...]:
        """On what came last, where it leads nowhere by itself."""
        memory = self.memory
        if memory.last == "miss":
            return (Remark("miss", {"name": memory.last_words}), Remark("none_similar"))
        if memory.last == "no more":
            return (Remark("no_more", {"words": memory.last_words}),)
        if self.asked.form is not Form.BRIDGE and self._open is not None:
            found = self._value(self._open)
            if found is not None:
                quote = Remark("quote", {"sentence": shortened(found.sentence, found.text)})
                name = memory.passages[self._open].wanted
                return (quote, Remark("value", {"name": name, "value": found.text}))
            sentence = memory.passages[self._open].sentences[:1]
            return tuple(Remark("quote", {"sentence": shortened(one)}) for one in sentence)
        return (Remark("elsewhere" if memory.last in ("passage", "result") else "lost"),)


def names_of(title: str) -> tuple[str, ...]:
    """What a page may be called: its title, and that without what stands in parentheses or behind a comma."""
    bare = re.sub(r" \([^()]*\)$", "", title)
    return tuple(dict.fromkeys((title, bare, bare.partition(", ")[0])))
