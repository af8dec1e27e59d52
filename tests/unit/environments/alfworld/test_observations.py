import pytest

from spanwise.environments.alfworld.observations import clean_first_observation, clean_observation, in_dialect


def test_first_observation_is_room_then_goal():
    text = (
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room.\n\nYour task is to: put a mug in desk."
    )
    assert clean_first_observation(text) == "You are in the middle of a room.\nYour task is to: put a mug in desk."
    assert clean_first_observation(clean_first_observation(text)) == clean_first_observation(text)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("You arrive at loc 12. On the desk 1, you see a mug 1.", "On the desk 1, you see a mug 1."),
        ("You arrive at loc 3. The drawer 1 is closed.", "The drawer 1 is closed."),
        (
            "You arrive at desk 1. On the desk 1, you see nothing.",
            "You arrive at desk 1. On the desk 1, you see nothing.",
        ),
        ("You open the safe 1. The safe 1 is open.", "You open the safe 1. The safe 1 is open."),
        ("\nAvailable commands:\n", "Available commands:"),
        ("Nothing happens.", "Nothing happens."),
    ],
)
def test_only_the_place_of_arrival_is_dropped(said, seen):
    assert clean_observation(said) == seen


PUT, MOVE = {"put mug 1 in/on desk 2", "look"}, {"move mug 1 to desk 2", "look"}


@pytest.mark.parametrize(
    ("command", "offered", "expected"),
    [
        ("put mug 1 in/on desk 2", PUT, "put mug 1 in/on desk 2"),
        ("move mug 1 to desk 2", PUT, "put mug 1 in/on desk 2"),
        ("put mug 1 in/on desk 2", MOVE, "move mug 1 to desk 2"),
        ("  move mug 1 to desk 2 ", MOVE, "move mug 1 to desk 2"),
        ("put mug 9 in/on desk 2", MOVE, "put mug 9 in/on desk 2"),  # not possible: left as it was said
        ("put mug 1 in desk 2", PUT, "put mug 1 in desk 2"),  # neither dialect: the game shall refuse it
        ("look", PUT, "look"),
    ],
)
def test_both_dialects_are_understood(command, offered, expected):
    assert in_dialect(command, offered) == expected
