import pytest

from spanwise.environments.hotpotqa.names import fold, without_qualifier, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ken Kesey", "ken  KESEY "),
        ("André Gide", "Andre Gide"),
        ("2011–12 Minnesota Timberwolves season", "2011-12 minnesota timberwolves season"),
        ("Arthur’s Magazine", "Arthur's Magazine"),
        ("Ken_Kesey", "Ken Kesey"),
        ("X&amp;Y", "x&y"),
        ("Straße", "STRASSE"),
        ("line\nbreak", "line break"),
    ],
)
def test_names_that_are_the_same(one, other):
    assert fold(one) == fold(other)


def test_other_names_stay_apart():
    assert fold("AC/DC") != fold("ACDC")
    assert fold("Gide") != fold("Gid")


@pytest.mark.parametrize(
    ("folded", "bare"),
    [
        ("death wish (2017 film)", "death wish"),
        ("a (b) (c)", "a (b)"),
        ("(500) days of summer", "(500) days of summer"),
        ("(film)", "(film)"),
        ("f(x)", "f"),
        ("open (bracket", "open (bracket"),
    ],
)
def test_a_qualifier_stands_in_parentheses_at_the_end(folded, bare):
    assert without_qualifier(folded) == bare


def test_words_are_counted_once():
    assert words("new york, new york's") == ["new", "york", "s"]
