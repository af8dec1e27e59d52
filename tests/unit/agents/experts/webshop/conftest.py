"""Small pages of a shop, made by hand, in ReAct's rendering and in ``text``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from spanwise.agents.protocol import History
from spanwise.types import Span, SpanKind, Step

INSTRUCTION = (
    "Find me machine wash men's shirts with classic fit with color: navy, and size: large, "
    "and price lower than 30.00 dollars"
)


class ReactPages:
    """Pages as ReAct's agents saw them."""

    def start(self, instruction: str = INSTRUCTION) -> str:
        return f"\nWebshop \nInstruction:  \n{instruction} \n[Search] "

    def results(self, *hits: tuple[str, str, str], number: int = 1) -> str:
        listed = "".join(f"\n[{asin}] \n{title} \n{price} " for asin, title, price in hits)
        return f"\n[Back to Search] \nPage {number} (Total results: 50) \n[Next >] {listed}"

    def item(self, title: str, price: str, options: Mapping[str, Sequence[str]]) -> str:
        chosen = "".join(f"\n{name} " + "".join(f"[{value}]" for value in values) for name, values in options.items())
        end = "\n[Description] \n[Features] \n[Reviews] \n[Buy Now] "
        return f"\n[Back to Search] \n[< Prev] {chosen}\n{title} \nPrice: {price} \nRating: N.A. {end}"

    def features(self, *bullets: str) -> str:
        return "\n[Back to Search] \n[< Prev] " + "".join(f"\n {bullet} " for bullet in bullets)


class TextPages:
    """Pages as the original's ``text`` mode writes them."""

    def start(self, instruction: str = INSTRUCTION) -> str:
        return f"WebShop [SEP] Instruction: [SEP] {instruction} [SEP] Search"

    def results(self, *hits: tuple[str, str, str], number: int = 1) -> str:
        return self._page(f"Page {number} (Total results: 50)", "Next >", *(part for hit in hits for part in hit))

    def item(self, title: str, price: str, options: Mapping[str, Sequence[str]]) -> str:
        chosen = [part for name, values in options.items() for part in (name, *values)]
        end = ("Description", "Features", "Reviews", "Buy Now")
        return self._page("< Prev", *chosen, title, f"Price: {price}", "Rating: N.A.", *end)

    def features(self, *bullets: str) -> str:
        return self._page("< Prev", *bullets)

    def _page(self, *parts: str) -> str:
        return " [SEP] ".join(("Instruction:", INSTRUCTION, "Back to Search", *parts))


@pytest.fixture(params=[ReactPages(), TextPages()], ids=["react", "text"])
def pages(request: pytest.FixtureRequest) -> ReactPages | TextPages:
    """Writes pages, in one mode and the other."""
    return request.param


@pytest.fixture
def history() -> Callable[..., History]:
    """Makes a history: the first observation, then (action, observation) of each turn."""

    def make(first: str, *turns: tuple[str, str], seed: int = 0) -> History:
        steps, observation = [], first
        for action, after in turns:
            completion = f"Thought: So be it.\nAction: {action}"
            spans = (Span(SpanKind.REASON, 0, len(completion)),)
            steps.append(Step(observation, completion, action, spans))
            observation = after
        return History(0, "goal-0", seed, tuple(steps), observation)

    return make
