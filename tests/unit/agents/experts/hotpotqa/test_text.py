"""Sentences, names and words as a reader sees them."""

import pytest

from spanwise.agents.experts.hotpotqa.text import names, plain, sentences, stem, stems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("J. K. Rowling wrote it. She did.", ["J. K. Rowling wrote it.", "She did."]),
        ("It came out in St. Louis. (Nobody came.)", ["It came out in St. Louis.", "(Nobody came.)"]),
        ("The last stop is doubled..", ["The last stop is doubled."]),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who directed The Silent Key?", ["The Silent Key"]),
        ('Who wrote "the lost key" in 1999?', ["the lost key"]),
        ("Were The Orchard and the River and Otterby named late?", ["The Orchard and the River", "Otterby"]),
        (
            "Of the White Maren River and the Little Lune River, which is longer?",
            ["White Maren River", "Little Lune River"],
        ),
        ("Is Beyond the Winter Sea by the University of Elmford?", ["Beyond the Winter Sea", "University of Elmford"]),
        ("Born in Otterby in Elm County, she left.", ["Otterby", "Elm County"]),
        ("Since 2017 Varden has lived in Elmford.", ["Varden", "Elmford"]),
        ("According to the register, nobody was born.", []),
        ("The 2010 Winter Olympics (Vancouver) ended.", ["2010 Winter Olympics (Vancouver)"]),
        ("Mara Fenwick's husband paints.", ["Mara Fenwick"]),
    ],
)
def test_names(text, expected):
    found = names(text)
    assert [name.text for name in found] == expected
    assert all(text[name.start : name.end] == name.text for name in found)


def test_words_alike_share_a_stem():
    assert stem("directed") == stem("director") == stem("directs")
    assert stem("sponsored") == stem("sponsor") == stem("sponsors")
    assert stem("born") == stem("birthplace")
    assert stem("born") != stem("died")
    assert stems("In which town was she born?") == [stem("town"), stem("born")]


def test_plain_text_has_no_case_accents_or_quotes():
    assert plain("  André's “Café” ") == "andres cafe"
