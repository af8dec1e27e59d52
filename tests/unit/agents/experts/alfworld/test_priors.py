from spanwise.agents.experts.alfworld.names import kind
from spanwise.agents.experts.alfworld.priors import search_order

ROOM = ("cabinet 10", "cabinet 2", "cabinet 1", "countertop 2", "countertop 1", "fridge 1", "stoveburner 1", "sofa 1")


def test_every_place_comes_once_and_likely_ones_first():
    order = search_order("pan", ROOM)
    assert sorted(order) == sorted(ROOM)
    assert order[:3] == ("stoveburner 1", "countertop 1", "countertop 2")


def test_places_of_a_kind_come_by_number_not_by_letter():
    assert [place for place in search_order("cup", ROOM) if kind(place) == "cabinet"] == [
        "cabinet 1",
        "cabinet 2",
        "cabinet 10",
    ]


def test_the_order_does_not_depend_on_how_the_room_is_listed():
    assert search_order("apple", ROOM) == search_order("apple", ROOM[::-1])


def test_unknown_things_and_places_are_looked_for_too_open_places_before_doors():
    order = search_order("unheardof", ("cabinet 1", "altar 1", "countertop 1"))
    assert order == ("countertop 1", "cabinet 1", "altar 1")
