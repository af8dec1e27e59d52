"""Words and terms, rule by rule; what a whole catalogue becomes is compared with Lucene elsewhere."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise.environments.webshop.analysis import _UNICODE, LONGEST, STOP_WORDS, lower, terms, words
from spanwise.environments.webshop.porter import stem

any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.5-inch T-Shirt", ["3.5", "inch", "T", "Shirt"]),
        ("can't don’t women's", ["can't", "don’t", "women's"]),
        ("1,000.5 a.b a.1 1a2 U.S.A. 2:3 x:y", ["1,000.5", "a.b", "a", "1", "1a2", "U.S.A", "2", "3", "x:y"]),
        ("a,b 1;2 a;b", ["a", "b", "1;2", "a", "b"]),
        ("foo_bar ___ _a_ _1", ["foo_bar", "_a_", "_1"]),
        ("a..b 1.,2 'a' a'", ["a", "b", "1", "2", "a", "a"]),
        ("Brand™ ©2020 ★★", ["Brand", "™", "©", "2020", "★", "★"]),
        ("👍🏽 👨‍👩‍👧 1️⃣ 🇩🇪🇫🇷", ["👍🏽", "👨‍👩‍👧", "1️⃣", "🇩🇪", "🇫🇷"]),
        ("日本の テスト ア_イ 한국어 สวัสดี", ["日", "本", "の", "テスト", "ア_イ", "한국어", "สวัสดี"]),
        ("e\u0301t naïve ｗｉｄｅ １２", ["e\u0301t", "naïve", "ｗｉｄｅ", "１２"]),
        ('א"ב ג\' a"b', ['א"ב', "ג'", "a", "b"]),
        ("a\u202fb _\u0301 \u200d", ["a", "b"]),
        ("!?-()[]{} \n\t", []),
        ("", []),
    ],
)
def test_words_end_where_unicode_ends_them(text, expected):
    assert words(text) == expected


def test_long_words_are_cut_and_what_follows_is_read():
    text = "b " + "x" * (2 * LONGEST + 3) + " y z"
    assert [len(word) for word in words(text)] == [1, LONGEST, LONGEST, 3, 1, 1]
    assert words("é" * LONGEST + "é") == ["é" * LONGEST, "é"]


@pytest.mark.parametrize(
    "row", ["_", "a", "a'", "1.", "'", "\u200d", "👍\u200d", "#\u200d", "\u0301", "_\u0301", "\U000e0020", 'א"']
)
def test_hostile_rows_are_read_in_one_pass(row):
    assert all(len(word) <= LONGEST for word in words("👍" + row * (200_000 // len(row))))


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_rules_for_ascii_are_the_rules(text):
    assert words(text) == [word for word in _UNICODE.findall(text) if word]


@given(any_text)
def test_any_text_has_terms_and_its_words_are_its_own(text):
    place = 0
    for word in words(text):
        place = text.index(word, place) + len(word)
    assert all(0 < len(term) <= LONGEST for term in terms(text))


@given(any_text)
def test_terms_do_not_depend_on_case_of_ascii(text):
    assert terms(text) == terms("".join(letter.lower() if letter.isascii() else letter for letter in text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Women's DRESSES", ["women", "dress"]),
        ("kids' kid’s KID'S", ["kid", "kid", "kid"]),
        ("to be or not to be", []),
        ("İstanbul ΣΟΦΟΣ", ["istanbul", "σοφοσ"]),
        ("I am from you", ["i", "am", "from", "you"]),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


def test_there_are_33_stop_words():
    assert len(STOP_WORDS) == 33


def test_lower_case_keeps_the_number_of_characters():
    letters = "".join(map(chr, range(0x20, 0x3000)))
    assert len(lower(letters)) == len(letters)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        # The algorithm's own examples, one or two a rule.
        *[("caresses", "caress"), ("ponies", "poni"), ("ties", "ti"), ("caress", "caress"), ("cats", "cat")],
        *[("feed", "feed"), ("agreed", "agre"), ("plastered", "plaster"), ("bled", "bled"), ("motoring", "motor")],
        *[("sing", "sing"), ("conflated", "conflat"), ("troubled", "troubl"), ("sized", "size"), ("hopping", "hop")],
        *[("falling", "fall"), ("hissing", "hiss"), ("failing", "fail"), ("filing", "file"), ("happy", "happi")],
        *[("sky", "sky"), ("relational", "relat"), ("conditional", "condit"), ("rational", "ration")],
        *[("valenci", "valenc"), ("digitizer", "digit"), ("radically", "radic"), ("differently", "differ")],
        *[("vietnamization", "vietnam"), ("operator", "oper"), ("feudalism", "feudal"), ("hopefulness", "hope")],
        *[("formality", "formal"), ("sensitivity", "sensit"), ("triplicate", "triplic"), ("formative", "form")],
        *[("electrical", "electr"), ("goodness", "good"), ("revival", "reviv"), ("allowance", "allow")],
        *[("gyroscopic", "gyroscop"), ("adjustable", "adjust"), ("replacement", "replac"), ("adjustment", "adjust")],
        *[("dependent", "depend"), ("adoption", "adopt"), ("communion", "communion"), ("effective", "effect")],
        *[("probate", "probat"), ("rate", "rate"), ("cease", "ceas"), ("controll", "control"), ("roll", "roll")],
        # What its author changed later, and short words.
        *[("possibly", "possibl"), ("sensibility", "sensibl"), ("apology", "apolog"), ("is", "is"), ("as", "as")],
        *[("us", "us"), ("ies", "i"), ("ion", "ion"), ("aed", "a"), ("yyy", "yyi"), ("naïvely", "naïv")],
    ],
)
def test_stems(word, expected):
    assert stem(word) == expected


@given(any_text)
def test_a_stem_is_no_longer_than_its_word(word):
    assert len(stem(word)) <= len(word)


def test_every_character_of_its_own_is_read():
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) in ("Lu", "Ll", "Nd") and not 0x1E00 <= code < 0x1F000:
            assert words(letter) == [letter]
