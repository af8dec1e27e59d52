"""By what an episode was lost, and whether it went round in a circle.

A *loop* is a series of k turns that comes three times in a row, for any k: in each of them the agent saw the same and
did the same (or, where it wrote no command, wrote the same). Whoever decides greedily and sees no more than that will
never leave it; but for agents that remember, some do, so an episode that was won may have one.

Each episode that was not won has one failure, the first of these that is true:

    error           it crashed
    context         the history left no room for an answer
    parse           it ended for want of commands, or at least half of its turns had none
    wrong           it ended unsolved by what the agent did: a wrong answer, another product
    loop            it ran out of budget, having gone round in a circle
    invalid         it ran out of budget, and the environment had refused at least half of its actions
    budget          it ran out of budget while doing other things
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanwise.evaluation.metrics import EpisodeRecord

#: How often a series of turns must come, one time right after the other.
TIMES = 3


def failure(episode: EpisodeRecord) -> str:
    """By what an episode was lost: one of the words above."""
    if episode.stop_reason in ("error", "context"):
        return episode.stop_reason
    if episode.stop_reason == "parse" or (episode.turns and 2 * episode.parse_failures >= episode.turns):
        return "parse"
    if episode.stop_reason == "done":
        return "wrong"
    if episode.looped:
        return "loop"
    return "invalid" if episode.steps and 2 * episode.invalid_actions >= episode.steps else "budget"


def has_loop(turns: Sequence[Hashable]) -> bool:
    """Whether some series of turns comes three times in a row.

    Args:
        turns: What was seen and done in each, in order.
    """
    for period in range(1, len(turns) // TIMES + 1):
        same = 0  # turns in a row that are as they were a period ago
        for now, before in zip(turns[period:], turns, strict=False):
            same = same + 1 if now == before else 0
            if same == (TIMES - 1) * period:
                return True
    return False
