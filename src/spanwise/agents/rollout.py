"""The only episode loop: agents act, environments answer, trajectories come out.

Many episodes advance in lock-step, so that an agent answers all of them in one call. What happens in an episode depends
on agent, task and seed alone: not on how many others run beside it, nor on where the environments live.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence

from spanwise.agents.episode import Episode, EpisodeSpec, RolloutSettings
from spanwise.agents.protocol import Agent
from spanwise.environments.protocol import TaskSet
from spanwise.environments.workers import Act, EnvironmentPool, Start
from spanwise.types import Trajectory

__all__ = ["EpisodeSpec", "RolloutSettings", "rollout"]


def rollout(
    agent: Agent, task_set: TaskSet, episodes: Sequence[EpisodeSpec], settings: RolloutSettings
) -> Iterator[Trajectory]:
    """Plays episodes and yields each as a trajectory when it ends; in the order of their ends, not of ``episodes``.

    An environment that raises, or kills its process, ends its own episode with stop reason ``error``.

    Each trajectory's ``metadata`` hold ``task_type``; ``actions``, those that the environment saw; ``tokens``, those
    that a model generated; ``truncated``, completions that hit the token limit; ``agent_seconds``, the episode's even
    share of the agent's time; ``environment_seconds``; and ``error``, if there was one.

    Raises:
        SpanwiseError: The environment or the agent says that data or settings are wrong.
    """
    waiting = deque(enumerate(episodes))
    live: dict[int, Episode] = {}  # by slot
    workers = min(settings.workers, len(episodes))
    with EnvironmentPool(task_set, workers, lists_commands=settings.constrained) as pool:
        try:
            while waiting or live:
                commands: dict[int, Start | Act] = {
                    slot: Act(episode.action) for slot, episode in live.items() if episode.action is not None
                }
                for slot in range(settings.concurrency):
                    if slot not in live and waiting:
                        live[slot] = episode = Episode(*waiting.popleft())
                        commands[slot] = Start(episode.spec.task_id, episode.spec.seed)
                for slot, answer in pool.advance(commands).items():
                    live[slot].hear(answer)
                yield from _finished(live, agent, task_set.name, settings)

                began = time.perf_counter()
                completions = agent.act([episode.history() for episode in live.values()]) if live else []
                seconds = time.perf_counter() - began
                for episode, completion in zip(live.values(), completions, strict=True):
                    episode.say(completion, settings, seconds / len(completions))
                yield from _finished(live, agent, task_set.name, settings)
        finally:
            for episode in live.values():
                agent.forget(episode.number)


def _finished(
    live: dict[int, Episode], agent: Agent, environment: str, settings: RolloutSettings
) -> Iterator[Trajectory]:
    """Takes the episodes that are over out of ``live``."""
    for slot, episode in list(live.items()):
        episode.check_limits(settings)
        if episode.stop_reason is not None:
            del live[slot]
            agent.forget(episode.number)
            yield episode.trajectory(environment, agent.name)
