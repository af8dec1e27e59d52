import multiprocessing

import pytest

from spanwise.environments.protocol import Outcome
from spanwise.environments.toy import ToyTasks
from spanwise.environments.workers import Act, EnvironmentPool, Start
from spanwise.errors import TaskDataError

both = pytest.mark.parametrize("workers", [0, 2])


def observations(pool: EnvironmentPool, commands: dict[int, Start | Act]) -> dict[int, str | None]:
    return {slot: answer.outcome and answer.outcome.observation for slot, answer in pool.advance(commands).items()}


@both
def test_slots_are_played_side_by_side_and_used_again(workers: int):
    expected = {slot: ToyTasks().make(f"train-{slot:04}", 0).reset() for slot in range(6)}
    with EnvironmentPool(ToyTasks(), workers) as pool:
        assert observations(pool, {slot: Start(f"train-{slot:04}", 0) for slot in range(6)}) == expected
        assert observations(pool, {1: Start("train-0000", 0), 2: Act("hop")}) == {1: expected[0], 2: "Nothing happens."}
        assert observations(pool, {4: Act("go to sink 1")}) == {4: "At sink 1 you see nothing."}


@both
def test_start_plays_the_given_actions(workers: int):
    with EnvironmentPool(ToyTasks(), workers) as pool:
        start = Start("train-0001", 0, actions=("go to table 2", "take plate"))
        assert observations(pool, {0: start}) == {0: "You take the plate."}
        assert observations(pool, {0: Act("put plate")}) == {0: "You put the plate on table 2."}


@both
def test_a_world_that_raises_costs_its_own_episode(workers: int):
    with EnvironmentPool(ToyTasks(), workers) as pool:
        pool.advance({0: Start("crash-raise", 0), 1: Start("train-0001", 0)})
        answers = pool.advance({0: Act("look"), 1: Act("go to table 2")})
        assert answers[0].outcome is None
        assert answers[0].error is not None
        assert answers[0].error.startswith("RuntimeError: this world breaks at 'look' (line ")
        assert answers[1].outcome == Outcome("At table 2 you see a plate.", reward=0.0, done=False, success=False)
        assert observations(pool, {0: Start("train-0001", 0), 1: Act("take plate")})[1] == "You take the plate."


def test_a_worker_that_dies_costs_the_culprit_only():
    with EnvironmentPool(ToyTasks(), workers=1) as pool:
        pool.advance({slot: Start("train-0001", 0) for slot in (0, 1, 2)} | {3: Start("crash-exit", 0)})
        pool.advance({slot: Act("go to table 2") for slot in (0, 1, 2)})
        # Slot 0 acts before the death, 2 after it, 1 not at all in this round: each must be brought back as it was.
        answers = pool.advance({0: Act("take plate"), 3: Act("look"), 2: Act("take plate")})
        assert answers[3].error == "the process that played it died at 'look' (exit code 3)"
        assert answers[2].outcome is not None
        assert answers[2].outcome.observation == "You take the plate."
        assert observations(pool, {0: Act("put plate"), 1: Act("take plate"), 2: Act("go to sink 1")}) == {
            0: "You put the plate on table 2.",
            1: "You take the plate.",
            2: "At sink 1 you see nothing.",
        }


@pytest.mark.parametrize(
    ("task_id", "error"),
    [("crash-raise", "RuntimeError: this world breaks"), ("crash-exit", "the process that played it died at")],
)
def test_an_episode_that_cannot_be_brought_back_says_so_when_it_is_next_played(task_id: str, error: str):
    with EnvironmentPool(ToyTasks(), workers=1) as pool:
        pool.advance({0: Start("train-0001", 0), 1: Start("crash-exit", 0), 2: Start("train-0001", 0)})
        # As if the game had played well once, and did not again.
        pool._episodes[0].start, pool._episodes[0].actions = Start(task_id, 0), ["look"]
        assert "died at 'look'" in str(pool.advance({1: Act("look")})[1].error)
        answers = pool.advance({0: Act("take plate"), 2: Act("go to table 2")})
        assert str(answers[0].error).startswith(error)
        assert answers[2].outcome is not None
        assert answers[2].outcome.observation == "At table 2 you see a plate."
        assert observations(pool, {0: Start("train-0001", 0, ("go to table 2",))}) == {0: "At table 2 you see a plate."}


def test_a_command_that_hangs_counts_as_a_crash(monkeypatch: pytest.MonkeyPatch):
    with EnvironmentPool(ToyTasks(), workers=1, timeout=0.2) as pool:
        pool.advance({0: Start("train-0001", 0)})
        monkeypatch.setattr(pool._workers[0], "send", lambda order: None)  # an order that is never answered
        answer = pool.advance({0: Act("look")})[0]
        assert answer.error == "the process that played it died at 'look' (exit code -9)"
        monkeypatch.undo()
        assert pool.advance({0: Start("train-0001", 0)})[0].error is None


@both
def test_what_the_user_must_mend_is_raised(workers: int):
    with EnvironmentPool(ToyTasks(), workers) as pool, pytest.raises(TaskDataError, match="no task 'train-9999'"):
        pool.advance({0: Start("train-9999", 0)})


class Unloadable(ToyTasks):
    """Pickles, but does not come back."""

    def __reduce__(self):
        return (int, ("cannot be loaded",))


def test_a_worker_that_cannot_start_is_an_error(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(RuntimeError, match="a worker process did not start"):
        EnvironmentPool(Unloadable(), workers=1)
    assert "cannot be loaded" in capfd.readouterr().err


@pytest.mark.parametrize("leave", [lambda: None, lambda: 1 / 0])
def test_no_process_is_left_behind(leave):
    before = set(multiprocessing.active_children())
    try:
        with EnvironmentPool(ToyTasks(), workers=2) as pool:
            pool.advance({0: Start("train-0001", 0)})
            assert len(set(multiprocessing.active_children()) - before) == 2
            leave()
    except ZeroDivisionError:
        pass
    assert set(multiprocessing.active_children()) == before


def test_episodes_of_a_task_share_a_worker_while_loads_are_even():
    with EnvironmentPool(ToyTasks(), workers=2) as pool:
        pool.advance({0: Start("train-0001", 0), 1: Start("train-0002", 0)})
        pool.advance({2: Start("train-0002", 1), 3: Start("train-0001", 1)})
        workers = {slot: pool._episodes[slot].worker for slot in range(4)}
        assert workers[0] == workers[3] != workers[1] == workers[2]
        pool.advance({slot: Start("train-0001", slot) for slot in range(4, 10)})
        load = [sum(episode.worker == index for episode in pool._episodes.values()) for index in (0, 1)]
        assert max(load) - min(load) <= 2
