"""The shop as ReAct's agents were let into it: stricter than the original's own environment, and shorter of words.

Names count as they are written, searching is for the search page, there is no second page of results, and a choice is
answered by one line. What cannot be done is answered by ``Invalid action!``.

Source: ReAct (arXiv 2210.03629), its program for WebShop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.observations import render_react
from spanwise.environments.webshop.shop import (
    BACK,
    BUY,
    NEXT,
    PREVIOUS,
    SUB_PAGES,
    UNLINKED,
    DonePage,
    ItemPage,
    Page,
    ResultsPage,
    SearchPage,
    Shop,
    SubPage,
    choose,
)

INVALID = "Invalid action!"
THOUGHT = "OK."


@dataclass
class ReactVisit:
    """One shopper's way through the shop by ReAct's rules."""

    shop: Shop
    goal: Goal
    page: Page = field(default_factory=SearchPage)
    #: Value -> option of the last page that had options: they can be clicked on a page that has none, as in ReAct.
    offered: Mapping[str, str] = field(default_factory=dict)

    def look(self) -> str:
        """The page that is before the shopper."""
        return render_react(self.page, self.goal.text)

    def act(self, action: str) -> str | None:
        """Carries out an action and answers it; None if it cannot be done."""
        if action.startswith("think"):
            return THOUGHT
        if action == "reset":
            self.page, self.offered = SearchPage(), {}
        elif action.startswith("search["):
            query = action[len("search[") : -1]
            if not isinstance(self.page, SearchPage) or not query:
                return None
            self.page, self.offered = self.shop.search(query), {}
        elif action.startswith("click["):
            return self._click(action[len("click[") : -1])
        else:
            return None
        return self.look()

    def _click(self, name: str) -> str | None:
        page = self.page
        after: Page | None = None
        if name == BUY:
            after = self.shop.buy(self.goal, page) if isinstance(page, ItemPage) else None
        elif name == BACK:
            after = None if isinstance(page, SearchPage | DonePage) else SearchPage()
        elif name == NEXT:
            after = None
        elif name == PREVIOUS:
            if isinstance(page, ItemPage | SubPage):
                after = page.results if isinstance(page, ItemPage) else page.item
        elif name in SUB_PAGES or name == UNLINKED:
            after = SubPage(name, page) if isinstance(page, ItemPage) else None
        elif isinstance(page, ResultsPage):
            product = next((product for product in page.shown if product.asin == name), None)
            after = None if product is None else ItemPage(product, {}, page)
        elif isinstance(page, ItemPage):
            if name not in self.offered:
                return None
            self.page = choose(page, self.offered[name], name)
            return f"You have clicked {name}."
        else:
            after = page  # ReAct asks nothing of a click here, and shows the page again
        if after is None:
            return None
        self.page = after
        if isinstance(after, ItemPage) and after.product.options:
            self.offered = {value: option for option, values in after.product.options.items() for value in values}
        return self.look()
