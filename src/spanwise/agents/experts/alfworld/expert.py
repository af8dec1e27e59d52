"""The ALFWorld expert: it plays from the text alone, thinking aloud."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.alfworld.beliefs import believe
from spanwise.agents.experts.alfworld.policy import Situation, decide
from spanwise.agents.experts.alfworld.task import read_task
from spanwise.agents.experts.alfworld.wording import read_lists, word
from spanwise.agents.protocol import Completion, History


class AlfworldExpert:
    """Writes ``Thought: … Action: …``; whatever it thinks follows from the history, so nothing is kept between turns.

    It may take over from any other player at any time. The seed of an episode chooses words, never actions.
    """

    name = "expert"

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The next command of each episode, with the reason for it.

        Raises:
            TaskDataError: A history does not begin as an ALFWorld game does.
        """
        return [Completion(_answer(history)) for history in histories]

    def forget(self, episode: int) -> None:
        """Nothing was kept."""


def _answer(history: History) -> str:
    first = history.steps[0].observation if history.steps else history.observation
    situation = Situation(
        task=read_task(first),
        beliefs=believe(history),
        lists=read_lists(step.completion for step in history.steps),
        started=bool(history.steps),
    )
    decision = decide(situation)
    return f"Thought: {word(decision.remarks, history.seed, len(history.steps))}\nAction: {decision.action}"
