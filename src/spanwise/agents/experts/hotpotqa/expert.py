"""The HotPotQA expert: it reads an encyclopedia by the question alone, thinking aloud."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.hotpotqa.memory import Memory, remember
from spanwise.agents.experts.hotpotqa.policy import Decision, Solver
from spanwise.agents.experts.hotpotqa.wording import word
from spanwise.agents.protocol import Completion, History


class HotpotqaExpert:
    """Writes ``Thought: … Action: …``; whatever it thinks follows from the history, so nothing is kept between turns.

    It may take over from any other player at any time. The seed of an episode chooses words, never actions.

    Args:
        budget: Actions that an episode may have; the last one answers.
        thoughts_count: Turns that only think count as actions.
    """

    name = "expert"

    def __init__(self, budget: int = 7, thoughts_count: bool = False):
        self.budget = budget
        self.thoughts_count = thoughts_count

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The next command of each episode, with the reason for it."""
        return [Completion(self._answer(history)) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""

    def _answer(self, history: History) -> str:
        memory = recall(history, self.thoughts_count)
        return put(Solver(memory, self.budget).decide(), history)


def recall(history: History, thoughts_count: bool) -> Memory:
    """What is known of an episode."""
    return remember(((step.observation, step.action) for step in history.steps), history.observation, thoughts_count)


def put(decision: Decision, history: History) -> str:
    """A decision in words."""
    thought = word(decision.remarks, history.seed, len(history.steps))
    return f"Thought: {' '.join(thought.split())}\nAction: {decision.action}"
