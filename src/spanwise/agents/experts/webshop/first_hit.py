"""The least that a shopper can do: search with the instruction, open the first result, buy it. A floor for scores."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.webshop.memory import remember
from spanwise.agents.experts.webshop.pages import BUY, Kind
from spanwise.agents.protocol import Completion, History


class FirstHit:
    """Buys the first result without a choice of options, as the original program's rule-based baseline does."""

    name = "first_hit"

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The next command of each episode."""
        return [Completion(_answer(history)) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""


def _answer(history: History) -> str:
    turns = ((step.observation, step.completion if step.action is None else step.action) for step in history.steps)
    memory = remember(turns, history.observation, thoughts_count=False)
    if memory.page.kind is Kind.ITEM:
        return f"Thought: I buy it.\nAction: click[{BUY}]"
    if memory.page.kind is Kind.RESULTS and memory.page.hits:
        return f"Thought: I open the first result.\nAction: click[{memory.page.hits[0].asin}]"
    return f"Thought: I search with all of these words.\nAction: search[{memory.errand.text}]"
