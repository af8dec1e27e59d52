import pytest

from spanwise.agents.experts.alfworld.task import Task, read_task
from spanwise.errors import TaskDataError


@pytest.mark.parametrize(
    ("sentence", "task"),
    [
        ("put a book in sofa.", Task("book", "sofa")),
        ("put some alarmclock on desk.", Task("alarmclock", "desk")),
        ("put a clean butterknife in drawer.", Task("butterknife", "drawer", "clean")),
        ("put a hot apple in garbagecan.", Task("apple", "garbagecan", "heat")),
        ("put a cool cup in microwave.", Task("cup", "microwave", "cool")),
        ("clean some cloth and put it in drawer.", Task("cloth", "drawer", "clean")),
        ("heat some mug and put it in cabinet.", Task("mug", "cabinet", "heat")),
        ("cool some pan and put it in stoveburner.", Task("pan", "stoveburner", "cool")),
        ("find two pen and put them in desk.", Task("pen", "desk", count=2)),
        ("put two cd in safe.", Task("cd", "safe", count=2)),
        ("look at laptop under the desklamp.", Task("laptop", "desklamp", look=True)),
        ("examine the bowl with the desklamp.", Task("bowl", "desklamp", look=True)),
    ],
)
def test_every_wording_of_a_goal_is_understood(sentence: str, task: Task):
    assert read_task(f"You are in the middle of a room.\nYour task is to: {sentence}") == task


def test_a_goal_in_other_words_is_refused_by_its_words():
    with pytest.raises(TaskDataError, match="'bring me a mug'"):
        read_task("Your task is to: bring me a mug.")


def test_a_text_without_a_goal_is_refused():
    with pytest.raises(TaskDataError, match="Your task is to"):
        read_task("You are in the middle of a room.")
