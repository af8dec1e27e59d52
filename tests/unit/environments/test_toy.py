import pytest

from spanwise.environments.protocol import Outcome
from spanwise.environments.toy import ToyTasks, ToyWorld
from spanwise.errors import TaskDataError

#: This episode is read by people below; its places follow from its task and seed.
ROOM = (
    "You are in a room. You see box 3, drawer 1, shelf 3, sink 1, table 2.\n"
    "Your task is to: wash the plate and put it on shelf 3."
)


def play(*actions: str) -> list[Outcome]:
    world = ToyTasks().make("train-0001", seed=0)
    assert world.reset() == ROOM
    return [world.step(action) for action in actions]


def test_a_game_won():
    outcomes = play("go to table 2", "take plate", "go to sink 1", "wash plate", "go to shelf 3", "put plate")
    assert [outcome.observation for outcome in outcomes] == [
        "At table 2 you see a plate.",
        "You take the plate.",
        "At sink 1 you see nothing.",
        "You wash the plate.",
        "At shelf 3 you see nothing.",
        "You put the plate on shelf 3.",
    ]
    assert [outcome.success for outcome in outcomes] == [False] * 5 + [True]
    assert (outcomes[-1].reward, outcomes[-1].done, outcomes[-1].valid) == (1.0, True, True)


def test_the_unwashed_thing_does_not_win():
    outcome = play("go to table 2", "take plate", "go to shelf 3", "put plate")[-1]
    assert (outcome.done, outcome.success, outcome.reward, outcome.valid) == (False, False, 0.0, True)


@pytest.mark.parametrize(
    "actions",
    [
        ("dance",),
        ("",),
        ("go to box 9",),
        ("take plate",),
        ("go to shelf 3", "take plate"),
        ("go to table 2", "take key"),
        ("go to table 2", "wash plate"),
        ("go to table 2", "put plate"),
        ("go to table 2", "take plate", "wash plate"),
    ],
)
def test_what_cannot_be_done_does_nothing(actions: tuple[str, ...]):
    assert play(*actions)[-1] == Outcome("Nothing happens.", reward=0.0, done=False, success=False, valid=False)


def test_splits_have_their_sizes_both_types_and_unseen_goals():
    tasks = ToyTasks(train=40, valid_seen=4, valid_unseen=30)
    assert [len(tasks.tasks(split)) for split in ("train", "valid_seen", "valid_unseen")] == [40, 4, 30]
    assert {info.task_type for info in tasks.tasks("valid_seen")} == {"carry", "wash"}

    def goals(split: str) -> set[tuple[str, str]]:
        worlds = [tasks.make(info.task_id, 0) for info in tasks.tasks(split)]
        return {(world._thing, world._goal) for world in worlds if isinstance(world, ToyWorld)}

    assert len(goals("train")) > 10
    assert goals("train").isdisjoint(goals("valid_unseen"))


def test_an_episode_is_determined_by_task_and_seed():
    def room(task_id: str, seed: int) -> str:
        return ToyTasks().make(task_id, seed).reset()

    assert room("train-0005", 1) == room("train-0005", 1)
    assert len({room("train-0005", seed) for seed in range(5)}) > 1
    assert len({room("train-0005", seed).split("\n")[1] for seed in range(5)}) == 1, "the goal is the task's"


@pytest.mark.parametrize("task_id", ["train-0200", "train-x", "train", "", "test-0000"])
def test_an_unknown_task_is_an_error(task_id: str):
    with pytest.raises(TaskDataError, match=r"no task|no split"):
        ToyTasks().make(task_id, 0)


def test_an_unknown_split_is_an_error_that_lists_the_splits():
    with pytest.raises(TaskDataError, match="no split 'test'; there are: train, valid_seen, valid_unseen"):
        ToyTasks().tasks("test")
