"""The shop: its pages, and what searching and clicking lead to.

A visit goes from the search page to results, ten a page, to a product's page, to its sub-pages and back, until
something is bought. What can be clicked is what the page shows; a search is possible from every page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spanwise.environments.webshop.catalogue import Catalogue, Product
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.reward import Score, Scorer

PAGE_SIZE = 10
MOST_RESULTS = 50

SEARCH, BACK, PREVIOUS, NEXT, BUY = "Search", "Back to Search", "< Prev", "Next >", "Buy Now"
#: Sub-pages that a product's page links to, and one that is there without a link.
SUB_PAGES = ("Description", "Features", "Reviews")
UNLINKED = "Attributes"
_SUB_PAGE_OF = {name.lower(): name for name in (*SUB_PAGES, UNLINKED)}


class SearchEngine(Protocol):
    """What finds products."""

    def search(self, query: str, k: int = MOST_RESULTS) -> list[int]:
        """Numbers of the products that fit a query, best first, ``k`` at most."""
        ...


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Where a visit begins."""


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """Ten results of a search.

    Attributes:
        query: What was searched for.
        number: Of the page, from 1.
        results: All that was found.
        seen: Asins that were looked at since the search page.
    """

    query: str
    number: int
    results: tuple[Product, ...]
    seen: frozenset[str] = frozenset()

    @property
    def shown(self) -> tuple[Product, ...]:
        """The products of this page."""
        return self.results[(self.number - 1) * PAGE_SIZE : self.number * PAGE_SIZE]


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A product.

    Attributes:
        product: The product.
        options: What is chosen: name -> value, in the order of the choices.
        results: The page that led here.
    """

    product: Product
    options: Mapping[str, str]
    results: ResultsPage


@dataclass(frozen=True, slots=True)
class SubPage:
    """More about a product: ``name`` is one of ``SUB_PAGES``, or ``UNLINKED``."""

    name: str
    item: ItemPage


@dataclass(frozen=True, slots=True)
class DonePage:
    """The end of a visit: what was bought, and what it was worth."""

    product: Product
    options: Mapping[str, str]
    score: Score


Page = SearchPage | ResultsPage | ItemPage | SubPage | DonePage


@dataclass(frozen=True)
class Shop:
    """A catalogue that can be searched and bought from.

    Attributes:
        catalogue: The stock.
        goals: All errands, in order.
        engine: Finds products; its document numbers are places in the catalogue.
        scorer: Judges purchases.
    """

    catalogue: Catalogue
    goals: Sequence[Goal]
    engine: SearchEngine
    scorer: Scorer

    def search(self, query: str) -> ResultsPage:
        """The first page of results."""
        found = self.engine.search(query, MOST_RESULTS)
        return ResultsPage(query, 1, tuple(map(self.catalogue.products.__getitem__, found)))

    def buy(self, goal: Goal, item: ItemPage) -> DonePage:
        """The end of a visit that buys what a page shows."""
        wanted = self.catalogue.product(goal.asin, f"the goal {goal.text!r:.60}")
        score = self.scorer.score(goal, wanted, item.product, item.options.values())
        return DonePage(item.product, item.options, score)


@dataclass
class Visit:
    """One shopper's way through the shop; ``page`` is what is before them.

    It follows the original's text environment: names are compared in lower case, a value that two options share
    belongs to the later one, and results have a next page for ever.
    """

    shop: Shop
    goal: Goal
    page: Page = field(default_factory=SearchPage)

    def act(self, action: str) -> bool:
        """Carries out ``search[...]`` or ``click[...]``; False if it is neither, or cannot be done here."""
        name, argument = parse_action(action)
        argument = argument.lower()
        if name == "search" and argument:
            seen = _results_of(self.page).seen
            found = self.shop.search(argument)
            self.page = ResultsPage(found.query, 1, found.results, seen)
            return True
        after = self._click(argument) if name == "click" and argument != SEARCH.lower() else None
        if after is None:
            return False
        self.page = after
        return True

    def _click(self, name: str) -> Page | None:
        """The page that a click leads to; None if there is nothing of that name."""
        page = self.page
        if isinstance(page, SearchPage | DonePage):
            return None
        if name == BACK.lower():
            return SearchPage()
        if isinstance(page, ResultsPage):
            return self._from_results(page, name)
        if isinstance(page, SubPage):
            return page.item if name == PREVIOUS.lower() else None
        return self._from_item(page, name)

    def _from_results(self, page: ResultsPage, name: str) -> Page | None:
        if name == NEXT.lower():
            return ResultsPage(page.query, page.number + 1, page.results, page.seen)
        if name == PREVIOUS.lower() and page.number > 1:
            return ResultsPage(page.query, page.number - 1, page.results, page.seen)
        for product in page.shown:
            if product.asin.lower() == name:
                seen = page.seen | {product.asin}
                return ItemPage(product, {}, ResultsPage(page.query, page.number, page.results, seen))
        return None

    def _from_item(self, page: ItemPage, name: str) -> Page | None:
        if name == BUY.lower():
            return self.shop.buy(self.goal, page)
        if name == PREVIOUS.lower():
            return page.results
        option = option_of(page.product, name)
        if name in _SUB_PAGE_OF and (option is not None or _SUB_PAGE_OF[name] != UNLINKED):
            return SubPage(_SUB_PAGE_OF[name], page)
        return None if option is None else choose(page, option, name)


def option_of(product: Product, value: str) -> str | None:
    """The name of the option that has this value, the last one if there are more; None where there is none."""
    return next((name for name in reversed(list(product.options)) if value in product.options[name]), None)


def choose(page: ItemPage, option: str, value: str) -> ItemPage:
    """The page after a choice."""
    return ItemPage(page.product, {**page.options, option: value}, page.results)


def parse_action(action: str) -> tuple[str, str]:
    """Name and argument of ``name[argument]``; the argument is "" where the action is not of that form.

    The argument stands between the last ``[`` and the last ``]`` that can hold one, on the first line; what follows is
    not read. Takes time in proportion to the length of the action.
    """
    line = action.partition("\n")[0]
    end = line.rfind("]")
    start = line.rfind("[", 0, max(end - 1, 0))
    return (line[:start], line[start + 1 : end]) if start > 0 else (action, "")


def _results_of(page: Page) -> ResultsPage:
    if isinstance(page, ResultsPage):
        return page
    if isinstance(page, ItemPage):
        return page.results
    return page.item.results if isinstance(page, SubPage) else _NO_RESULTS


_NO_RESULTS = ResultsPage("", 1, ())
