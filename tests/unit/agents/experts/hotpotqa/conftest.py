"""A small encyclopedia, made by hand, and episodes over it."""

from __future__ import annotations

from spanwise.agents.protocol import Agent, History
from spanwise.environments.hotpotqa.encyclopedia import LocalEncyclopedia, build_encyclopedia
from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment
from spanwise.environments.hotpotqa.records import Page, Question
from spanwise.traces.segment import segment
from spanwise.types import Step

ENCYCLOPEDIA: LocalEncyclopedia = build_encyclopedia(
    [
        Page("The Silver Orchard", ("The Silver Orchard is a 1987 novel by Mara Fenwick.", " It is set in Elmford.")),
        Page(
            "Mara Fenwick (novelist)",
            (
                "Mara Fenwick (12 May 1931 – 3 June 2001) was a Ravian novelist.",
                " She wrote at night.",
                " Critics have compared Fenwick with Otto Brenner.",
                " She kept two dogs.",
                " She spent the year 1960 abroad.",
                " Fenwick was born in Otterby.",
                " She studied botany at Kelman College.",
            ),
        ),
        Page("Mara Fenwick (politician)", ("Mara Fenwick is a politician.",)),
        Page("Otto Brenner", ("Otto Brenner (born 2 April 1950) is a Ravian novelist.",)),
        Page("Kelman College", ("Kelman College is a university in Elmford.", " It was founded in 1802.")),
        Page("Elmford", ("Elmford is a town on the River Lune.", " It has a population of 12,345.")),
        Page("Otterby", ("Otterby is a town.", " It has a population of 2,045.")),
    ]
)


def question(text: str, answer: str, *facts: tuple[str, int], type: str = "bridge") -> Question:
    return Question("q", text, answer, type, "easy", facts)


def history(observation: str, steps: tuple[Step, ...] = (), seed: int = 0) -> History:
    return History(0, "q", seed, steps, observation)


def step(observation: str, completion: str) -> Step:
    cut = segment(completion, "react")
    return Step(observation=observation, completion=completion, action=cut.action, spans=cut.spans)


def play(agent: Agent, asked: Question, budget: int = 7, seed: int = 0) -> list[tuple[str, str, str]]:
    """(observation, thought, action) of each turn."""
    environment = HotpotqaEnvironment(ENCYCLOPEDIA, asked)
    observation, steps, turns = environment.reset(), [], []
    for _ in range(budget):
        (completion,) = agent.act([history(observation, tuple(steps), seed)])
        thought, _, action = completion.text.partition("\nAction: ")
        turns.append((observation, thought.removeprefix("Thought: "), action))
        steps.append(step(observation, completion.text))
        outcome = environment.step(action)
        observation = outcome.observation
        if outcome.done:
            break
    return turns
