import pytest

from spanwise.traces.goal import goal_of


@pytest.mark.parametrize(
    ("observation", "goal"),
    [
        ("You are in a room.\n\nYour task is to: put a key in box 1.", "put a key in box 1."),
        ("WebShop [SEP] Instruction: [SEP] i want a hat, and price lower than 20 dollars [SEP] Search", None),
        ("\nWebshop \nInstruction:  \ni want a hat, and price lower than 20 dollars \n[Search] ", None),
        ("Question: who?\nContext: none", "who?"),
        ("Claim: it is.", "it is."),
        (" Turn on the lights. ", "Turn on the lights."),
        ("Question:", "Question:"),
        ("", ""),
    ],
)
def test_the_goal_is_what_the_environment_says_it_is(observation, goal):
    assert goal_of(observation) == (goal if goal is not None else "i want a hat, and price lower than 20 dollars")
