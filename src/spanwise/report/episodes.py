"""A few tasks that teacher and students all played, side by side: those first that tell the agents apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from spanwise.errors import TraceError
from spanwise.report.run_files import EvaluatedAgent
from spanwise.traces.jsonl import read_trajectories
from spanwise.types import Step, Trajectory

EpisodeKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One task, played by several agents.

    Attributes:
        task: The goal in words.
        task_id: Which task.
        task_type: Its type.
        agents: Names, in the order of the trajectories.
        trajectories: One per agent.
        parting: Index of the first turn in which not all agents act alike; None where they never part.
    """

    task: str
    task_id: str
    task_type: str
    agents: tuple[str, ...]
    trajectories: tuple[Trajectory, ...]
    parting: int | None

    @property
    def opening(self) -> str | None:
        """What all agents were told first; None where that differs, or one of them never had a turn."""
        first = {trajectory.steps[0].observation if trajectory.steps else None for trajectory in self.trajectories}
        return first.pop() if len(first) == 1 else None

    @property
    def turns(self) -> list[tuple[Step | None, ...]]:
        """Per turn, each agent's step; None for agents that had ended before."""
        length = max(len(trajectory.steps) for trajectory in self.trajectories)
        return [
            tuple(trajectory.steps[turn] if turn < len(trajectory.steps) else None for trajectory in self.trajectories)
            for turn in range(length)
        ]


def side_by_side(agents: Sequence[EvaluatedAgent], limit: int = 4) -> list[SideBySide]:
    """Up to ``limit`` episodes that all the agents played.

    Tasks on which the agents' success differs come first, in turn over the types of task; then the others. The choice
    is a function of the records alone.

    Raises:
        TraceError: A file of trajectories is damaged, or lacks an episode that the records hold.
    """
    if not agents:
        return []
    chosen = _choose(agents, limit)
    found = [_load(agent, chosen) for agent in agents]
    types = {(record.task_id, record.seed): record.task_type for record in agents[0].records}
    episodes = []
    for key in chosen:
        trajectories = tuple(by_key[key] for by_key in found)
        episodes.append(
            SideBySide(
                task=trajectories[0].task.strip(),
                task_id=key[0],
                task_type=types[key],
                agents=tuple(agent.name for agent in agents),
                trajectories=trajectories,
                parting=_parting(trajectories),
            )
        )
    return episodes


def _choose(agents: Sequence[EvaluatedAgent], limit: int) -> list[EpisodeKey]:
    outcomes: dict[EpisodeKey, list[bool]] = defaultdict(list)
    for agent in agents:
        for record in agent.records:
            outcomes[record.task_id, record.seed].append(record.success)
    rank_in_type: dict[tuple[str, bool], int] = defaultdict(int)
    ranked = []
    for record in sorted(agents[0].records, key=lambda record: (record.task_id, record.seed)):
        results = outcomes[record.task_id, record.seed]
        if len(results) < len(agents):
            continue
        same = len(set(results)) == 1
        ranked.append((same, rank_in_type[record.task_type, same], record.task_type, record.task_id, record.seed))
        rank_in_type[record.task_type, same] += 1
    return [(task_id, seed) for *_, task_id, seed in sorted(ranked)[:limit]]


def _load(agent: EvaluatedAgent, chosen: Sequence[EpisodeKey]) -> dict[EpisodeKey, Trajectory]:
    wanted = set(chosen)
    found = {}
    for trajectory in read_trajectories(agent.trajectories):
        key = (trajectory.task_id, trajectory.seed)
        if key in wanted:
            found[key] = trajectory
        if len(found) == len(wanted):
            break
    if missing := wanted - found.keys():
        task_id, seed = min(missing)
        raise TraceError(f"{agent.trajectories}: lacks the episode of task {task_id!r}, seed {seed}, of episodes.jsonl")
    return found


def _parting(trajectories: Sequence[Trajectory]) -> int | None:
    actions = [[step.action for step in trajectory.steps] for trajectory in trajectories]
    for turn in range(max(map(len, actions))):
        if len({taken[turn] if turn < len(taken) else "" for taken in actions}) > 1:
            return turn
    return None
