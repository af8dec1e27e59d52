from collections.abc import Sequence

import pytest

from spanwise.agents.experts.slips import SlippingExpert
from spanwise.agents.protocol import Completion, History
from spanwise.traces.segment import segment

TEXT = "Thought: At desk 1: cd 2, mug 1. There is cd 2 at desk 1, so I take it.\nAction: take cd 2 from desk 1"


class Always:
    """Says the same whatever happens."""

    name = "expert"

    def __init__(self, text: str = TEXT):
        self.text = text
        self.forgotten: list[int] = []

    def act(self, histories: Sequence[History]) -> list[Completion]:
        return [Completion(self.text) for _ in histories]

    def forget(self, episode: int) -> None:
        self.forgotten.append(episode)


def histories(count: int) -> list[History]:
    return [History(seed, "task", seed, (), "On the desk 1, you see a cd 2, and a mug 1.") for seed in range(count)]


def test_a_slip_is_a_wrong_number_in_the_command_and_in_the_sentence_that_leads_to_it():
    said = {completion.text for completion in SlippingExpert(Always(), 1.0).act(histories(100))}
    wrong = [TEXT.replace("There is cd 2", f"There is cd {n}").replace("take cd 2", f"take cd {n}") for n in (1, 3, 4)]
    assert said == set(wrong)
    assert {segment(text, "react").action for text in said} == {f"take cd {n} from desk 1" for n in (1, 3, 4)}


def test_a_product_is_misread_by_its_last_digit():
    text = "Thought: B08DXL22JN is a blazer. I look at it.\nAction: click[B08DXL22JN]"
    said = {completion.text for completion in SlippingExpert(Always(text), 1.0).act(histories(200))}
    assert said == {text.replace("B08DXL22JN", f"B08DXL2{digit}JN") for digit in "013456789"}


@pytest.mark.parametrize(
    "text",
    [
        "Thought: I look.\nAction: look",
        "Thought: I search.\nAction: search[cable 3 m, size: 10]",
        "Thought: I buy it.\nAction: click[Buy Now]",
        "no action at all",
    ],
)
def test_a_command_without_a_number_is_left_alone(text: str):
    assert [one.text for one in SlippingExpert(Always(text), 1.0).act(histories(5))] == [text] * 5


def test_slips_are_as_frequent_as_asked_and_the_same_each_time():
    def slips() -> list[bool]:
        return [one.text != TEXT for one in SlippingExpert(Always(), 0.1).act(histories(2000))]

    assert 120 < sum(slips()) < 280
    assert slips() == slips()


def test_the_expert_is_told_what_to_forget():
    expert = Always()
    SlippingExpert(expert, 0.5).forget(7)
    assert expert.forgotten == [7]
