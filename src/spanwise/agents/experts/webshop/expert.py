"""The WebShop expert: it shops from the text alone, thinking aloud."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.webshop.memory import remember
from spanwise.agents.experts.webshop.policy import Habits, Shopper
from spanwise.agents.experts.webshop.wording import word
from spanwise.agents.protocol import Completion, History


class WebshopExpert:
    """Writes ``Thought: … Action: …``; whatever it thinks follows from the history, so nothing is kept between turns.

    It may take over from any other player at any time, in any of the shop's ways of writing pages. The seed of an
    episode chooses words, never actions.

    Args:
        habits: How much it puts into an errand.
        thoughts_count: Turns that only think count as actions.
    """

    def __init__(self, habits: Habits | None = None, thoughts_count: bool = False):
        self.habits = habits or Habits()
        self.thoughts_count = thoughts_count
        self.name = "expert" if self.habits.reads else "brisk"

    @classmethod
    def within(cls, max_actions: int, reads: bool = True) -> WebshopExpert:
        """An expert for environments that allow so many actions, where turns that only think are free."""
        return cls(Habits(max_actions=max_actions, reads=reads))

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The next command of each episode, with the reason for it."""
        return [Completion(self._answer(history)) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""

    def _answer(self, history: History) -> str:
        turns = ((step.observation, step.completion if step.action is None else step.action) for step in history.steps)
        memory = remember(turns, history.observation, self.thoughts_count)
        decision = Shopper(memory, self.habits).decide()
        thought = word(decision.remarks, history.seed, len(history.steps))
        return f"Thought: {' '.join(thought.split())}\nAction: {decision.action}"
