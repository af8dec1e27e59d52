"""An expert that now and then misreads a number: so that trajectories show how a mistake is noticed and put right.

An expert that never fails never meets the answer to a failure, and what imitates it is lost after its first one. Noise
in the demonstrator is the cheap remedy.

Source: Laskey et al. 2017 (DART), arXiv 1703.09327, with a discrete noise.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from spanwise.agents.protocol import Agent, Completion, History

#: What has a number that can be misread: an object of ALFWorld, a product or an option of WebShop; no query.
_NAME = re.compile(
    r"(?P<object>\w+ )(?P<number>\d+)(?![^\[]*\])"
    r"|(?<=click\[)(?P<item>[^\]]*)(?P<digit>\d)(?P<rest>[^\]\d]*)(?=\])"
)
_MARK = "\nAction: "
_HIGHEST = 4


class SlippingExpert:
    """Plays as another agent does, but with a wrong number in some of the commands, and in the sentence that says why.

    What is read aloud before stays right, and commands without a number are left alone. Greedy imitation of a rare slip
    is not a slip: the right number remains the likelier one.

    Args:
        expert: Who plays, and whose name is kept; it must be able to go on from any history.
        rate: Share of the turns that are slips, in [0, 1].
    """

    def __init__(self, expert: Agent, rate: float):
        self.expert = expert
        self.rate = rate
        self.name = expert.name

    def act(self, histories: Sequence[History]) -> list[Completion]:
        """The expert's completions; episode's task and seed, and turn, decide which are slips."""
        return [
            self._slip(completion, random.Random(f"slip/{history.task_id}/{history.seed}/{len(history.steps)}"))
            for history, completion in zip(histories, self.expert.act(histories), strict=True)
        ]

    def forget(self, episode: int) -> None:
        """Passed on to the expert."""
        self.expert.forget(episode)

    def _slip(self, completion: Completion, generator: random.Random) -> Completion:
        thought, mark, action = completion.text.rpartition(_MARK)
        name = _NAME.search(action)
        if name is None or generator.random() >= self.rate:
            return completion
        wrong = _misread(name, generator)
        exact = re.compile(rf"(?<!\w){re.escape(name[0])}(?!\w)")
        sentences = re.split(r"(?<=\.) ", thought)
        for index in reversed(range(len(sentences))):
            if exact.search(sentences[index]):
                sentences[index] = exact.sub(lambda _: wrong, sentences[index])
                break
        text = " ".join(sentences) + mark + exact.sub(lambda _: wrong, action)
        return replace(completion, text=text)


def _misread(name: re.Match[str], generator: random.Random) -> str:
    """The name with another number: of an object one that there may be, of an item its last digit."""
    if name["object"] is not None:
        return name["object"] + str(generator.choice(_others(range(1, _HIGHEST + 1), int(name["number"]))))
    return f"{name['item']}{generator.choice(_others(range(10), int(name['digit'])))}{name['rest']}"


def _others(numbers: range, right: int) -> list[int]:
    return [number for number in numbers if number != right]
