from spanwise.agents.experts.alfworld.beliefs import believe


def test_the_room_is_what_the_first_observation_lists(history, kitchen):
    beliefs = believe(history(kitchen + "put a mug in shelf."))
    assert beliefs.room[:3] == ("cabinet 2", "cabinet 1", "countertop 2")
    assert beliefs.room[-1] == "sinkbasin 1"
    assert len(beliefs.room) == 9
    assert beliefs.place is None


def test_surfaces_and_doors_are_seen(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.",
            ("go to countertop 1", "On the countertop 1, you see a butterknife 1, and a mug 12."),
            ("go to cabinet 1", "The cabinet 1 is closed."),
            ("go to fridge 1", "The fridge 1 is closed."),
            ("open fridge 1", "You open the fridge 1. The fridge 1 is open. In it, you see a egg 2, and a mug 2."),
            ("go to shelf 1", "On the shelf 1, you see nothing."),
        )
    )
    assert beliefs.contents == {
        "countertop 1": ("butterknife 1", "mug 12"),
        "fridge 1": ("egg 2", "mug 2"),
        "shelf 1": (),
    }
    assert beliefs.closed == {"cabinet 1"}
    assert beliefs.place == "shelf 1"


def test_the_prefix_of_an_arrival_does_not_matter(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.", ("go to shelf 1", "You arrive at loc 7. On the shelf 1, you see a mug 1.")
        )
    )
    assert (beliefs.place, beliefs.contents) == ("shelf 1", {"shelf 1": ("mug 1",)})


def test_things_move_with_the_hand(history, kitchen):
    first = kitchen + "put a hot mug in shelf."
    turns = [
        ("go to countertop 1", "On the countertop 1, you see a butterknife 1, and a mug 1."),
        ("take mug 1 from countertop 1", "You pick up the mug 1 from the countertop 1."),
        ("go to microwave 1", "The microwave 1 is closed."),
        ("heat mug 1 with microwave 1", "You heat the mug 1 using the microwave 1."),
        ("go to shelf 1", "On the shelf 1, you see nothing."),
    ]
    beliefs = believe(history(first, *turns))
    assert beliefs.holding == "mug 1"
    assert beliefs.contents["countertop 1"] == ("butterknife 1",)
    assert beliefs.treatments == {"mug 1": {"heat"}}
    for answer in ("You put the mug 1 in/on the shelf 1.", "You move the mug 1 to the shelf 1."):
        beliefs = believe(history(first, *turns, ("put mug 1 in/on shelf 1", answer)))
        assert beliefs.holding is None
        assert beliefs.contents["shelf 1"] == ("mug 1",)
        assert beliefs.given_to == {"mug 1": "shelf 1"}


def test_cooling_undoes_heating_but_not_cleaning(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a hot mug in shelf.",
            ("clean mug 1 with sinkbasin 1", "You clean the mug 1 using the sinkbasin 1."),
            ("heat mug 1 with microwave 1", "You heat the mug 1 using the microwave 1."),
            ("cool mug 1 with fridge 1", "You cool the mug 1 using the fridge 1."),
        )
    )
    assert beliefs.treatments == {"mug 1": {"clean", "cool"}}


def test_a_place_that_cannot_be_gone_to_is_where_one_stands(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.",
            ("go to cabinet 1", "The cabinet 1 is closed."),
            ("go to cabinet 2", "Nothing happens."),
            ("go to shelf 1", "On the shelf 1, you see nothing."),
            ("go to cabinet 1", "The cabinet 1 is closed."),
        )
    )
    assert beliefs.here == {"cabinet 1", "cabinet 2"}


def test_a_place_that_does_not_exist_is_nowhere(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.",
            ("go to cabinet 1", "The cabinet 1 is closed."),
            ("go to cabinet 77", "Nothing happens."),
        )
    )
    assert beliefs.here == {"cabinet 1"}
    assert beliefs.tried == {"go to cabinet 77"}


def test_looking_shows_what_stands_together_and_the_inventory_what_is_held(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.",
            ("go to cabinet 1", "On the cabinet 1, you see nothing."),
            ("look", "You are facing the cabinet 1, and garbagecan 1. Next to it, you see nothing."),
            ("inventory", "You are carrying: a mug 3."),
        )
    )
    assert beliefs.here == {"cabinet 1", "garbagecan 1"}
    assert beliefs.holding == "mug 3"


def test_thoughts_and_unparsable_answers_teach_nothing(history, kitchen):
    beliefs = believe(
        history(
            kitchen + "put a mug in shelf.",
            ("Thought: Hm.\nAction: think: where am I?", "OK."),
            ("Thought: go to cabinet 1", "Nothing happens."),
            ("", "Nothing happens."),
        )
    )
    assert (beliefs.place, beliefs.here, beliefs.tried) == (None, frozenset(), set())


def test_a_refused_put_shows_a_misfit_only_where_nothing_else_stood_in_the_way(history, kitchen):
    first = kitchen + "put a mug in shelf."
    held = [
        ("go to countertop 1", "On the countertop 1, you see a papertowelroll 1."),
        ("take papertowelroll 1 from countertop 1", "You pick up the papertowelroll 1 from the countertop 1."),
    ]
    refused = ("put papertowelroll 1 in/on countertop 1", "Nothing happens.")
    assert believe(history(first, *held, refused)).misfits == {("papertowelroll", "countertop")}
    assert believe(history(first, refused)).misfits == set()
    elsewhere = ("put papertowelroll 1 in/on shelf 1", "Nothing happens.")
    assert believe(history(first, *held, elsewhere)).misfits == set()
    door = ("go to fridge 1", "The fridge 1 is closed.")
    shut = ("put papertowelroll 1 in/on fridge 1", "Nothing happens.")
    assert believe(history(first, *held, door, shut)).misfits == set()
