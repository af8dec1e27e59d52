"""Which episodes are shown, and where agents part."""

from dataclasses import replace

from spanwise.report.episodes import side_by_side
from spanwise.report.run_files import read_run


def _agents(run, recipe):
    return [agent for agent in read_run(run, recipe).agents if agent.role != "expert"]


def test_tasks_that_tell_the_agents_apart_come_first_in_turn_over_the_types(finished_run, recipe):
    agents = _agents(finished_run, recipe)
    episodes = side_by_side(agents, limit=100)
    assert len(episodes) == 12
    same = [len({trajectory.success for trajectory in episode.trajectories}) == 1 for episode in episodes]
    assert same == sorted(same)
    assert not all(same)
    differing = [episode.task_type for episode, alike in zip(episodes, same, strict=True) if not alike]
    assert set(differing[:2]) == {"carry", "wash"}


def test_each_column_is_the_agents_own_episode_of_the_task(finished_run, recipe):
    agents = _agents(finished_run, recipe)
    for episode in side_by_side(agents):
        assert episode.agents == ("teacher", "sft", "token_kd", "sad")
        assert {trajectory.task_id for trajectory in episode.trajectories} == {episode.task_id}
        assert tuple(trajectory.agent for trajectory in episode.trajectories) == episode.agents


def test_agents_part_at_the_first_turn_in_which_their_actions_differ(finished_run, recipe):
    for episode in side_by_side(_agents(finished_run, recipe), limit=100):
        alike = [len({step and step.action for step in turn}) == 1 for turn in episode.turns]
        assert (episode.parting is None) == all(alike)
        if episode.parting is not None:
            assert all(alike[: episode.parting])
            assert not alike[episode.parting]


def test_an_agent_never_parts_from_itself(finished_run, recipe):
    teacher = _agents(finished_run, recipe)[0]
    for episode in side_by_side([teacher, teacher]):
        assert episode.parting is None
        assert episode.opening is not None


def test_only_episodes_that_all_played_are_shown(finished_run, recipe):
    first, second, *_ = _agents(finished_run, recipe)
    fewer = replace(second, records=second.records[:3])
    shown = {episode.task_id for episode in side_by_side([first, fewer], limit=100)}
    assert shown == {record.task_id for record in fewer.records}


def test_nobody_evaluated_shows_nothing():
    assert side_by_side([]) == []
