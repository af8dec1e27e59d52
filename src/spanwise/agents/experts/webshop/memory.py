"""What a shopper remembers of a visit: replayed from the history, so that any player's turns can be taken over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from spanwise.agents.experts.webshop.errand import Errand, read_errand
from spanwise.agents.experts.webshop.pages import BACK, DESCRIPTION, FEATURES, Hit, Item, Kind, Page, read_page

_ACTION = re.compile(r"(search|click|think)\[(.*)\]\s*$", re.DOTALL)
_LINE = re.compile(r"^Action:\s*", re.MULTILINE)


@dataclass(slots=True)
class Candidate:
    """A product that was looked at.

    Attributes:
        asin: Its id.
        item: Its page.
        query: The search that led to it.
        number: Page of the results that it stood on.
        read: Text of its sub-pages, by name.
    """

    asin: str
    item: Item
    query: str
    number: int
    read: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """What is known of a visit.

    Attributes:
        errand: What was asked for.
        page: What is before the shopper.
        queries: What was searched for, in order.
        query: The search whose results were seen last.
        number: Page of these results.
        last_hits: These results.
        candidates: Products looked at, by asin, in that order.
        here: Asin of the product that is before the shopper, or whose sub-page is.
        chosen: Values chosen on this visit to its page.
        refused: Actions that led nowhere, by the page on which they were tried: (kind, asin or query, action).
        turns: Actions taken.
    """

    errand: Errand
    page: Page
    queries: list[str] = field(default_factory=list)
    query: str = ""
    number: int = 0
    last_hits: tuple[Hit, ...] = ()
    candidates: dict[str, Candidate] = field(default_factory=dict)
    here: str = ""
    chosen: list[str] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)
    turns: int = 0

    @property
    def place(self) -> str:
        """Names the page, to tell where an action was refused."""
        return f"{self.page.kind.value}/{self.query}/{self.number}/{self.here}"


def remember(turns: Iterable[tuple[str, str]], observation: str, thoughts_count: bool) -> Memory:
    """What is known after the turns.

    Args:
        turns: (observation, action) of each, in order; a whole completion may stand for its action.
        observation: The one not yet answered.
        thoughts_count: Turns that only think are counted among the actions.
    """
    seen, completions = [], []
    for before, completion in turns:
        seen.append(before)
        completions.append(completion)
    seen.append(observation)
    first = read_page(seen[0])
    memory = Memory(read_errand(first.instruction), first)
    _enter(memory, first, "", "")
    for completion, after in zip(completions, seen[1:], strict=True):
        name, argument = read_action(completion)
        if name != "think" or thoughts_count:
            memory.turns += 1
        if name != "think":
            _enter(memory, read_page(after, memory.errand.option_names), name, argument)
    return memory


def read_action(completion: str) -> tuple[str, str]:
    """Name and argument of the command that a completion gives; both are "" where it gives none."""
    command = _LINE.split(completion)[-1].strip()
    found = _ACTION.match(command.partition("\n")[0])
    return (found[1], found[2]) if found else ("", "")


def _enter(memory: Memory, page: Page, name: str, argument: str) -> None:
    """The page that an action led to."""
    before = memory.page
    if page.kind is Kind.CHOSEN:
        memory.chosen.append(page.text)
        return
    if page.kind is Kind.OTHER:
        memory.refused.add((memory.place, f"{name}[{argument}]"))
        return
    if page.instruction and not memory.errand.text:
        memory.errand = read_errand(page.instruction)
    if name and page == before and name == "click" and not _is_offered(page, argument):
        memory.refused.add((memory.place, f"{name}[{argument}]"))
        return
    memory.page = page
    if page.kind is Kind.SEARCH:
        memory.here, memory.chosen = "", []
    elif page.kind is Kind.RESULTS:
        if name == "search":
            memory.query = argument
            memory.queries.append(argument)
        memory.here, memory.chosen, memory.number = "", [], page.number
        memory.last_hits = page.hits
    elif page.kind is Kind.ITEM and page.item is not None:
        _enter_item(memory, page.item, before, name, argument)
    elif page.kind is Kind.SUB_PAGE and memory.here in memory.candidates:
        shown = next((one for one in (DESCRIPTION, FEATURES) if one.lower() == argument.lower()), argument)
        memory.candidates[memory.here].read[shown] = page.text


def _enter_item(memory: Memory, item: Item, before: Page, name: str, argument: str) -> None:
    if before.kind is Kind.RESULTS and name == "click":
        asin = next((hit.asin for hit in before.hits if hit.asin.lower() == argument.lower()), argument)
        memory.here = asin
        if asin not in memory.candidates:
            memory.candidates[asin] = Candidate(asin, item, memory.query, memory.number)
        else:
            known = memory.candidates[asin]
            known.query, known.number = memory.query, memory.number
    elif before.kind is Kind.ITEM and name == "click" and argument != BACK:
        if offered := _offered(item, argument):
            memory.chosen.append(offered)
    elif not memory.here:
        memory.here = item.title
        memory.candidates.setdefault(item.title, Candidate(item.title, item, memory.query, memory.number))


def _is_offered(page: Page, value: str) -> bool:
    return page.item is not None and bool(_offered(page.item, value))


def _offered(item: Item, value: str) -> str:
    """The value as the page writes it; "" where it does not offer it."""
    every = (one for values in item.options.values() for one in values)
    return next((one for one in every if one.strip().lower() == value.strip().lower()), "")
