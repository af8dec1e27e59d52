"""What the expert does in given situations; whether it wins is for the integration test to show."""

import pytest

from spanwise.agents.experts.alfworld import AlfworldExpert
from spanwise.errors import TaskDataError

LIST = "Thought: Places to look for a mug: countertop 1, shelf 1, countertop 2.\nAction: go to countertop 1"
AT_COUNTERTOP = (LIST, "On the countertop 1, you see a butterknife 1.")
MUG_IN_HAND = [
    (LIST, "On the countertop 1, you see a butterknife 1, and a mug 2."),
    ("take mug 2 from countertop 1", "You pick up the mug 2 from the countertop 1."),
]
KNIFE_IN_HAND = [
    AT_COUNTERTOP,
    ("take butterknife 1 from countertop 1", "You pick up the butterknife 1 from the countertop 1."),
]


def answer(history) -> tuple[str, str]:
    """The expert's thought and its action."""
    (completion,) = AlfworldExpert().act([history])
    thought, _, action = completion.text.partition("\nAction: ")
    assert thought.startswith("Thought: ")
    return thought.removeprefix("Thought: "), action


def test_the_first_thought_is_the_plan_and_where_to_look(history, kitchen):
    thought, action = answer(history(kitchen + "put a clean apple in shelf."))
    assert thought == (
        "To solve the task, I find a apple, clean it with sinkbasin 1 and put it in/on shelf 1. "
        "Places to look for a apple: garbagecan 1, countertop 1, countertop 2, microwave 1, fridge 1, sinkbasin 1, "
        "shelf 1, cabinet 1. "
        "First is garbagecan 1."
    )
    assert action == "go to garbagecan 1"


def test_things_are_not_looked_for_where_the_goal_would_have_been_reached(history, kitchen):
    thought, _ = answer(history(kitchen + "put a apple in countertop."))
    assert "countertop 2" not in thought
    thought, _ = answer(history(kitchen + "put two apple in countertop."))
    assert "countertop 2" in thought
    assert "look for a apple: garbagecan 1, countertop 2" in thought


def test_the_search_follows_the_list_whoever_wrote_it(history, kitchen):
    thought, action = answer(history(kitchen + "put a mug in cabinet.", AT_COUNTERTOP))
    assert action == "go to shelf 1"
    assert "At countertop 1" in thought
    assert "mug here. " in thought
    assert "Places" not in thought


def test_a_list_of_places_that_do_not_exist_is_replaced(history, kitchen):
    said = LIST.replace("shelf 1, countertop 2", "moon 1")
    thought, action = answer(history(kitchen + "put a mug in cabinet.", (said, AT_COUNTERTOP[1])))
    assert "Places to look for a mug: countertop 2," in thought
    assert action == "go to countertop 2"


def test_doors_are_opened(history, kitchen):
    first = kitchen + "put a mug in shelf."
    thought, action = answer(history(first, AT_COUNTERTOP, ("go to fridge 1", "The fridge 1 is closed.")))
    assert action == "open fridge 1"
    assert thought.startswith("The fridge 1 is closed.")


def test_only_the_very_thing_is_taken(history, bedroom):
    first = bedroom + "put a pen in shelf."
    desk = "On the desk 1, you see a pencil 1, a pencil 2, and a penholder 1."
    assert answer(history(first, ("go to desk 1", desk)))[1].startswith("go to ")
    thought, action = answer(history(first, ("go to desk 1", desk.replace("penholder 1", "pen 3"))))
    assert action == "take pen 3 from desk 1"
    assert "pen 3 at desk 1" in thought


@pytest.mark.parametrize(
    ("goal", "action"),
    [
        ("put a mug in cabinet.", "go to cabinet 1"),
        ("put a hot mug in cabinet.", "go to microwave 1"),
        ("cool some mug and put it in cabinet.", "go to fridge 1"),
        ("clean some mug and put it in cabinet.", "go to sinkbasin 1"),
    ],
)
def test_a_thing_in_hand_goes_where_the_goal_says(history, kitchen, goal, action):
    assert answer(history(kitchen + goal, *MUG_IN_HAND))[1] == action


def test_a_thing_is_treated_through_a_closed_door_then_delivered_through_an_open_one(history, kitchen):
    first = kitchen + "put a hot mug in cabinet."
    turns = [*MUG_IN_HAND, ("go to microwave 1", "The microwave 1 is closed.")]
    assert answer(history(first, *turns))[1] == "heat mug 2 with microwave 1"
    turns.append(("heat mug 2 with microwave 1", "You heat the mug 2 using the microwave 1."))
    thought, action = answer(history(first, *turns))
    assert action == "go to cabinet 1"
    assert "hot mug 2" in thought
    turns.append(("go to cabinet 1", "The cabinet 1 is closed."))
    assert answer(history(first, *turns))[1] == "open cabinet 1"
    turns.append(("open cabinet 1", "You open the cabinet 1. The cabinet 1 is open. In it, you see nothing."))
    assert answer(history(first, *turns))[1] == "put mug 2 in/on cabinet 1"


def test_the_second_of_two_is_remembered(history, kitchen):
    first = kitchen + "find two mug and put them in shelf."
    turns = [
        ("go to countertop 2", "On the countertop 2, you see a mug 3, and a mug 1."),
        ("take mug 3 from countertop 2", "You pick up the mug 3 from the countertop 2."),
        ("go to shelf 1", "On the shelf 1, you see a plate 1."),
        ("put mug 3 in/on shelf 1", "You put the mug 3 in/on the shelf 1."),
    ]
    thought, action = answer(history(first, *turns[:1]))
    assert action == "take mug 3 from countertop 2"
    assert "for later" in thought.lower()
    assert "mug 1" in thought
    thought, action = answer(history(first, *turns))
    assert action == "go to countertop 2"
    assert thought.startswith("One mug ")
    assert "mug 1 at countertop 2" in thought


def test_both_of_two_go_to_the_place_where_the_first_was_put(history, kitchen):
    first = kitchen + "put two mug in countertop."
    turns = [
        ("go to shelf 1", "On the shelf 1, you see a mug 1."),
        ("take mug 1 from shelf 1", "You pick up the mug 1 from the shelf 1."),
        ("go to countertop 2", "On the countertop 2, you see nothing."),
        ("put mug 1 in/on countertop 2", "You put the mug 1 in/on the countertop 2."),
        ("go to countertop 1", "On the countertop 1, you see a mug 2."),
        ("take mug 2 from countertop 1", "You pick up the mug 2 from the countertop 1."),
    ]
    assert answer(history(first, *turns[:5]))[1] == "take mug 2 from countertop 1"
    assert answer(history(first, *turns))[1] == "go to countertop 2"


def test_a_lamp_seen_on_the_way_is_gone_back_to(history, bedroom):
    first = bedroom + "examine the book with the desklamp."
    turns = [
        ("go to desk 2", "On the desk 2, you see a desklamp 1, and a pen 1."),
        ("go to bed 1", "On the bed 1, you see a book 1."),
        ("take book 1 from bed 1", "You pick up the book 1 from the bed 1."),
    ]
    assert "desklamp 1" in answer(history(first, *turns[:1]))[0]
    assert answer(history(first, *turns))[1] == "go to desk 2"
    turns.append(("go to desk 2", turns[0][1]))
    assert answer(history(first, *turns))[1] == "use desklamp 1"


def test_a_lamp_beside_what_is_taken_is_noted_before_it_is_taken(history, bedroom):
    first = bedroom + "examine the book with the desklamp."
    thought, action = answer(history(first, ("go to desk 2", "On the desk 2, you see a desklamp 3, and a book 1.")))
    assert action == "take book 1 from desk 2"
    assert "for later" in thought.lower()
    assert thought.rindex("desklamp 3") < thought.rindex("book 1")


def test_after_a_refusal_what_is_in_sight_is_said_over_again(history, kitchen):
    first = kitchen + "put a mug in cabinet."
    seen = ("go to shelf 1", "On the shelf 1, you see a fork 2, and a mug 3.")
    turns = [seen, ("take mug 1 from shelf 1", "Nothing happens.")]
    thought, action = answer(history(first, *turns))
    assert action == "take mug 3 from shelf 1"
    assert "shelf 1: fork 2, mug 3." in thought or "shelf 1 I see fork 2, mug 3." in thought
    turns = [seen, ("go to countertop 2", "Nothing happens.")]
    assert "fork 2" not in answer(history(first, *turns))[0], "it stands elsewhere now, as far as it can know"


def test_a_lamp_not_seen_yet_gets_a_list_of_its_own(history, bedroom):
    first = bedroom + "look at book under the desklamp."
    turns = [
        ("go to bed 1", "On the bed 1, you see a book 1."),
        ("take book 1 from bed 1", "You pick up the book 1 from the bed 1."),
    ]
    thought, action = answer(history(first, *turns))
    assert "have book 1" in thought
    assert "Places to look for a desklamp: sidetable 1, desk 1, desk 2, shelf 1, drawer 1, drawer 2." in thought
    assert action == "go to sidetable 1"


def test_where_one_cannot_go_one_is(history, kitchen):
    first = kitchen + "put a mug in cabinet."
    thought, action = answer(history(first, AT_COUNTERTOP, ("go to shelf 1", "Nothing happens.")))
    assert action == "examine shelf 1"
    assert "already at shelf 1" in thought


def test_a_wrong_thing_in_hand_is_put_down_where_it_may_lie(history, kitchen):
    first = kitchen + "put a mug in shelf."
    here = [*KNIFE_IN_HAND, ("go to fridge 1", "The fridge 1 is closed.")]
    assert answer(history(first, *KNIFE_IN_HAND))[1] == "put butterknife 1 in/on countertop 1"
    assert answer(history(first, *here))[1] == "open fridge 1"
    here.append(("open fridge 1", "You open the fridge 1. The fridge 1 is open. In it, you see nothing."))
    assert answer(history(first, *here))[1] == "put butterknife 1 in/on fridge 1"
    here.append(("put butterknife 1 in/on fridge 1", "Nothing happens."))
    assert answer(history(first, *here))[1] == "go to countertop 1"


def test_a_thing_put_away_untreated_is_taken_again(history, kitchen):
    turns = [
        *MUG_IN_HAND,
        ("go to shelf 1", "On the shelf 1, you see nothing."),
        ("put mug 2 in/on shelf 1", "You put the mug 2 in/on the shelf 1."),
    ]
    assert answer(history(kitchen + "put a hot mug in shelf.", *turns))[1] == "take mug 2 from shelf 1"


def test_a_thing_behind_a_door_that_was_shut_again_is_got_out(history, kitchen):
    turns = [
        ("go to fridge 1", "The fridge 1 is closed."),
        ("open fridge 1", "You open the fridge 1. The fridge 1 is open. In it, you see a mug 1."),
        ("close fridge 1", "You close the fridge 1."),
    ]
    thought, action = answer(history(kitchen + "put a mug in shelf.", *turns))
    assert action == "open fridge 1"
    assert "mug 1" in thought


def test_where_all_was_searched_in_vain_the_longest_ago_is_searched_again(history):
    first = "Looking quickly around you, you see a desk 1, a bed 1, and a shelf 1.\nYour task is to: put a pen in desk."
    turns = [(f"go to {place}", f"On the {place}, you see nothing.") for place in ("shelf 1", "bed 1", "desk 1")]
    assert answer(history(first, *turns))[1] == "go to shelf 1"


def test_what_fails_is_not_tried_again_at_once(history, kitchen):
    turns = [*MUG_IN_HAND, ("go to microwave 1", "The microwave 1 is closed.")]
    tried = []
    for _ in range(6):
        action = answer(history(kitchen + "put a hot mug in shelf.", *turns))[1]
        assert action not in tried
        tried.append(action)
        turns.append((action, "Nothing happens."))
    assert tried[:3] == ["heat mug 2 with microwave 1", "inventory", "look"]


def test_garbage_before_it_does_not_stop_it(history, kitchen):
    turns = [
        ("", "Nothing happens."),
        ("Thought: Places to look for a mug: , .. 7.\nAction: think: hm", "OK."),
        ("Action: ", "Nothing happens."),
        ("dance", "Nothing happens."),
    ]
    thought, action = answer(history(kitchen + "put a mug in shelf.", *turns))
    assert "Places to look for a mug: countertop 1" in thought
    assert action == "go to countertop 1"


def test_seeds_change_words_never_actions(history, kitchen):
    turns = [AT_COUNTERTOP, ("go to fridge 1", "The fridge 1 is closed.")]
    answers = {answer(history(kitchen + "put a mug in shelf.", *turns, seed=seed)) for seed in range(20)}
    assert len(answers) > 1
    assert {action for _, action in answers} == {"open fridge 1"}


def test_nothing_is_kept_between_turns(history, kitchen):
    first = kitchen + "put a mug in cabinet."
    whole = history(first, *MUG_IN_HAND)
    expert = AlfworldExpert()
    for length in range(len(whole.steps)):
        expert.act([history(first, *MUG_IN_HAND[:length])])
    expert.act([history(first.replace("mug", "plate"))])
    assert expert.act([whole]) == AlfworldExpert().act([whole])


def test_many_histories_are_answered_in_order(history, kitchen):
    histories = [history(kitchen + f"put a {thing} in shelf.") for thing in ("mug", "apple", "egg")]
    expert = AlfworldExpert()
    assert expert.act(histories) == [expert.act([one])[0] for one in histories]


def test_another_world_is_refused(history):
    with pytest.raises(TaskDataError, match="Your task is to"):
        AlfworldExpert().act([history("What is the capital of France?")])


def test_a_goal_that_the_room_cannot_meet_is_refused(history, kitchen):
    with pytest.raises(TaskDataError, match="the goal needs a sofa"):
        AlfworldExpert().act([history(kitchen + "put a mug in sofa.")])


def test_what_a_place_holds_is_said_over_before_anything_is_concluded(history, kitchen):
    thought, _ = answer(history(kitchen + "put a mug in cabinet.", AT_COUNTERTOP))
    assert thought.startswith("At countertop 1")
    assert "butterknife 1" in thought.split(".")[0]
