from collections.abc import Callable

import pytest

from spanwise.agents.protocol import History
from spanwise.traces.segment import segment
from spanwise.types import Step

Turn = tuple[str, str]


@pytest.fixture
def history() -> Callable[..., History]:
    """Builds a history of a first observation and of turns: (completion or command, what it was answered)."""

    def build(first: str, *turns: Turn, seed: int = 0) -> History:
        observation, steps = first, []
        for said, answer in turns:
            completion = said if ":" in said or not said else f"Thought: Hm.\nAction: {said}"
            cut = segment(completion, "react")
            steps.append(Step(observation, completion, cut.action, cut.spans))
            observation = answer
        return History(episode=0, task_id="task", seed=seed, steps=tuple(steps), observation=observation)

    return build


@pytest.fixture
def kitchen() -> str:
    """The first observation of a kitchen, its goal left open."""
    return (
        "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, "
        "a countertop 2, a countertop 1, a fridge 1, a garbagecan 1, a microwave 1, a shelf 1, and a sinkbasin 1.\n"
        "Your task is to: "
    )


@pytest.fixture
def bedroom() -> str:
    """The first observation of a bedroom, its goal left open."""
    return (
        "You are in the middle of a room. Looking quickly around you, you see a bed 1, a desk 2, a desk 1, "
        "a drawer 2, a drawer 1, a shelf 1, and a sidetable 1.\nYour task is to: "
    )
