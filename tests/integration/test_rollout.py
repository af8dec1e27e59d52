import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import spanwise
from spanwise.agents.experts.toy import ToyExpert
from spanwise.agents.protocol import Completion, History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import EnvironmentConfig
from spanwise.environments.toy import ToyTasks
from spanwise.errors import TaskDataError
from spanwise.types import Trajectory

TASKS = ToyTasks()
EPISODES = [
    EpisodeSpec(info.task_id, info.task_type, seed) for info in TASKS.tasks("valid_seen")[:6] for seed in (0, 1)
]
HERE = RolloutSettings(budget=10, concurrency=4, workers=0)


class Scripted:
    """An agent that answers by a function of the history, and keeps count of what it was asked."""

    name = "scripted"

    def __init__(self, answer: Callable[[History], Completion]):
        self.answer = answer
        self.batches: list[int] = []
        self.seen: list[History] = []
        self.forgotten: list[int] = []

    def act(self, histories: Sequence[History]) -> list[Completion]:
        self.batches.append(len(histories))
        self.seen += histories
        return [self.answer(history) for history in histories]

    def forget(self, episode: int) -> None:
        self.forgotten.append(episode)


def always(text: str, **fields) -> Scripted:
    return Scripted(lambda history: Completion(text, **fields))


def play_one(agent, settings: RolloutSettings = HERE, task_id: str = "train-0001") -> Trajectory:
    (trajectory,) = rollout(agent, TASKS, [EpisodeSpec(task_id, "wash", 0)], settings)
    return trajectory


def content(trajectories) -> dict[str, tuple]:
    return {t.id: (t.steps, t.stop_reason, t.reward, t.final_observation) for t in trajectories}


def test_the_expert_wins_and_its_turns_are_recorded():
    trajectory = play_one(ToyExpert())
    assert (trajectory.success, trajectory.stop_reason, trajectory.reward) == (True, "success", 1.0)
    assert (trajectory.id, trajectory.environment, trajectory.agent) == ("train-0001#0", "toy", "expert")
    assert trajectory.task == "wash the plate and put it on shelf 3."
    assert trajectory.steps[0].observation.startswith("You are in a room.")
    assert trajectory.steps[1].observation.startswith("At ")
    assert trajectory.final_observation == "You put the plate on shelf 3."
    assert all(step.valid for step in trajectory.steps)
    assert trajectory.metadata["task_type"] == "wash"
    assert trajectory.metadata["actions"] == len(trajectory.steps)


@pytest.mark.parametrize(
    "settings", [RolloutSettings(10, concurrency=8, workers=2), RolloutSettings(10, concurrency=5, workers=0)]
)
def test_content_depends_neither_on_concurrency_nor_on_workers(settings: RolloutSettings):
    alone = content(rollout(ToyExpert(), TASKS, EPISODES, RolloutSettings(10, concurrency=1, workers=0)))
    assert len(alone) == len(EPISODES)
    assert content(rollout(ToyExpert(), TASKS, EPISODES, settings)) == alone


def test_slots_are_refilled_and_episodes_keep_their_number():
    agent = Scripted(lambda h: ToyExpert().act([h])[0])
    list(rollout(agent, TASKS, EPISODES, HERE))
    assert max(agent.batches) == 4
    assert agent.batches[:4] == [4] * 4
    assert {history.episode: (history.task_id, history.seed) for history in agent.seen} == {
        number: (spec.task_id, spec.seed) for number, spec in enumerate(EPISODES)
    }
    assert sorted(agent.forgotten) == list(range(len(EPISODES)))


def test_trajectories_are_yielded_when_they_end():
    agent = Scripted(lambda h: ToyExpert().act([h])[0])
    next(iter(rollout(agent, TASKS, EPISODES, HERE)))
    assert len(agent.batches) <= 8


def test_the_budget_counts_actions_and_refused_ones_too():
    trajectory = play_one(always("Thought: hm\nAction: hop"))
    assert (trajectory.stop_reason, trajectory.success, trajectory.metadata["actions"]) == ("budget", False, 10)
    assert [step.valid for step in trajectory.steps] == [False] * 10
    assert trajectory.final_observation == "Nothing happens."


def test_a_thought_is_free_and_answered_ok():
    def answer(history: History) -> Completion:
        return Completion("Action: hop" if len(history.steps) % 2 else "Action: think: hm")

    trajectory = play_one(Scripted(answer), RolloutSettings(budget=3, workers=0, max_turns=99))
    assert [step.action for step in trajectory.steps] == ["think: hm", "hop"] * 3
    assert [step.valid for step in trajectory.steps] == [None, False] * 3
    assert [step.observation for step in trajectory.steps][1::2] == ["OK."] * 3
    assert trajectory.metadata["actions"] == 3


def test_thinking_forever_ends_by_the_turn_limit():
    trajectory = play_one(always("think: hm"), RolloutSettings(budget=3, style="think", workers=0))
    assert (trajectory.stop_reason, len(trajectory.steps)) == ("budget", 6)
    assert trajectory.metadata["actions"] == 0


def test_parse_failures_are_answered_and_end_the_episode_when_in_a_row():
    def answer(history: History) -> Completion:
        return Completion("Action: hop" if len(history.steps) == 2 else "hm")

    trajectory = play_one(Scripted(answer))
    assert trajectory.stop_reason == "parse"
    assert [step.action for step in trajectory.steps] == [None, None, "hop", None, None, None]
    assert [step.valid for step in trajectory.steps] == [None, None, False, None, None, None]
    assert [step.observation for step in trajectory.steps][1:] == ["Nothing happens."] * 5
    assert trajectory.metadata["actions"] == 1


def test_an_agent_out_of_context_ends_the_episode_without_a_step():
    def answer(history: History) -> Completion:
        return Completion("", out_of_context=True) if history.steps else Completion("Action: hop")

    trajectory = play_one(Scripted(answer))
    assert (trajectory.stop_reason, len(trajectory.steps)) == ("context", 1)
    assert trajectory.final_observation == "Nothing happens."


def test_generated_tokens_are_kept_and_counted():
    agent = always("Action: hop", token_ids=(3, 4, 0), logprobs=(-0.1, -0.2, -0.3), truncated=True)
    trajectory = play_one(agent, RolloutSettings(budget=2, workers=0))
    assert trajectory.steps[1].token_ids == (3, 4, 0)
    assert trajectory.steps[1].logprobs == (-0.1, -0.2, -0.3)
    assert (trajectory.metadata["tokens"], trajectory.metadata["truncated"]) == (6, 2)


def test_a_done_episode_without_success_is_called_done():
    class Endless(ToyTasks):
        def make(self, task_id: str, seed: int):
            return Ending()

    class Ending:
        def reset(self) -> str:
            return "Start."

        def step(self, action: str):
            from spanwise.environments.protocol import Outcome

            return Outcome("The end.", reward=0.5, done=True, success=False)

        def close(self) -> None:
            pass

    (trajectory,) = rollout(always("Action: end"), Endless(), [EpisodeSpec("train-0000", "carry", 0)], HERE)
    assert (trajectory.stop_reason, trajectory.success, trajectory.reward) == ("done", False, 0.5)
    assert trajectory.task == "Start."


def test_broken_games_are_recorded_and_the_others_played_as_if_nothing_had_happened():
    agent = Scripted(lambda h: ToyExpert().act([h])[0] if h.task_id[:5] == "valid" else Completion("Action: hop"))
    broken = [EpisodeSpec("crash-exit", "carry", 0), EpisodeSpec("crash-raise", "carry", 0)]
    settings = RolloutSettings(budget=10, concurrency=3, workers=1)
    trajectories = list(rollout(agent, TASKS, [*EPISODES[:2], *broken, *EPISODES[2:]], settings))
    errors = {t.task_id: t for t in trajectories if t.stop_reason == "error"}
    assert set(errors) == {"crash-exit", "crash-raise"}
    assert "died at 'hop' (exit code 3)" in errors["crash-exit"].metadata["error"]
    assert "RuntimeError: this world breaks" in errors["crash-raise"].metadata["error"]
    assert [step.action for step in errors["crash-exit"].steps] == ["hop"]
    assert errors["crash-exit"].final_observation is None
    healthy = content(rollout(ToyExpert(), TASKS, EPISODES, HERE))
    assert content(t for t in trajectories if t.stop_reason != "error") == healthy


def test_a_wrong_task_is_the_users_to_mend():
    with pytest.raises(TaskDataError, match="no task"):
        play_one(ToyExpert(), task_id="train-9999")


def test_stopping_midway_forgets_episodes_and_ends_workers():
    before = set(multiprocessing.active_children())
    agent = Scripted(lambda h: ToyExpert().act([h])[0])
    trajectories = rollout(agent, TASKS, EPISODES, RolloutSettings(10, concurrency=4, workers=1))
    next(trajectories)
    trajectories.close()
    assert set(multiprocessing.active_children()) == before
    assert set(agent.forgotten) == {history.episode for history in agent.seen}


def test_no_episodes_no_work():
    assert list(rollout(ToyExpert(), TASKS, [], RolloutSettings())) == []


def test_this_is_the_only_episode_loop_and_it_is_short():
    sources = {path: path.read_text() for path in Path(spanwise.__file__).parent.rglob("*.py")}
    callers = {path.name for path, text in sources.items() if "agent.act(" in text}
    assert callers == {"rollout.py"}
    loop = next(text for path, text in sources.items() if path.name == "rollout.py")
    assert len(loop.splitlines()) <= 100


def test_thoughts_use_the_budget_where_they_are_counted() -> None:
    counted = RolloutSettings.of(EnvironmentConfig(budget=3, style="think", count_thoughts=True, workers=0), 1)
    assert len(play_one(always("think: hm"), counted).steps) == 3
    free = RolloutSettings.of(EnvironmentConfig(budget=3, style="think", workers=0), 1)
    assert len(play_one(always("think: hm"), free).steps) == 6
