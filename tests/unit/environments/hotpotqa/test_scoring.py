import pytest

from spanwise.environments.hotpotqa.scoring import exact_match, f1, normalize


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("The Beatles", "beatles"),
        ("an  apple.", "Apple"),
        ("U.S.", "us"),
        ("yes!", "Yes"),
        ("a", "the"),
        ("Chris Martin's", "chris martins"),
    ],
)
def test_answers_that_match(answer, gold):
    assert exact_match(answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [("theatre", "atre"), ("no", "yes"), ("", "x"), ("“x”", "x"), ("é", "e")])
def test_answers_that_do_not(answer, gold):
    assert not exact_match(answer, gold)


@pytest.mark.parametrize(
    ("answer", "gold", "score"),
    [
        ("Ricky Rubio", "Ricard Rubio i Vives", 1 / 3),
        ("the cat sat", "cat", 2 / 3),
        ("cat cat", "cat", 2 / 3),
        ("yes", "yes", 1.0),
        ("yes it is", "yes", 0.0),
        ("no", "no way", 0.0),
        ("No answer", "noanswer", 0.0),
        ("", "", 0.0),
        ("the", "a", 0.0),
        ("", "x", 0.0),
    ],
)
def test_f1(answer, gold, score):
    assert f1(answer, gold) == pytest.approx(score)


def test_articles_go_after_punctuation():
    assert normalize("A.N. Other") == "other"
    assert normalize("the-atre") == "theatre"
