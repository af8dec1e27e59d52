import pytest

from spanwise.evaluation.matching import Command, match_actions, read_command, rouge_l, token_f1, words

#: Two texts, and the F1 that rouge-score 0.1.2 gives them: RougeScorer(["rougeL"], use_stemmer=False).
ROUGE_SCORES = [
    ("I need to find a keychain first.", "First I need to find a keychain and then take it.", 0.6666666666666665),
    (
        "The drawer 1 is open; in it, I see nothing.",
        "The drawer 1 is closed. I should open it and look.",
        0.5714285714285713,
    ),
    ("now I go to the sidetable_2, don't I?", "Now I'll go to side table 2; I don't know.", 0.6363636363636365),
    (
        "search for Super Bowl XLVIII MVP",
        "Malcolm Smith was named Most Valuable Player in Super Bowl XLVIII.",
        0.3529411764705882,
    ),
    ("a b c d e f g", "g f e d c b a", 0.14285714285714285),
    ("the the the cat", "the cat the the sat the", 0.6),
    ("nothing alike here", "wholly other words", 0.0),
    ("Exactly the same, word for word!", "exactly the same word-for-word", 1.0),
]


@pytest.mark.parametrize(("found", "reference", "score"), ROUGE_SCORES)
def test_rouge_l_is_that_of_the_package_on_ascii(found, reference, score) -> None:
    assert rouge_l(words(found), words(reference)) == pytest.approx(score, abs=1e-12)


def test_token_f1_counts_words_however_often_they_stand() -> None:
    # 3 in common (the, the, cat); 4 found, 6 written: 2 * 3 / 10
    assert token_f1(words("the the dog cat"), words("the cat the mat the sat")) == pytest.approx(0.6)
    assert token_f1([], []) == rouge_l([], []) == 1.0
    assert token_f1([], ["a"]) == rouge_l([], ["a"]) == 0.0


def test_words_are_those_of_any_script() -> None:
    assert words("Über_den WOLKEN, 42x!") == ["über", "den", "wolken", "42x"]
    assert words("打开抽屉1") == ["打", "开", "抽", "屉", "1"]


@pytest.mark.parametrize(
    ("action", "style", "name", "arguments"),
    [
        ("go to box 2", "react", "go to", "box 2"),
        ("take  key 1 from   box 2", "think", "take", "key 1 from box 2"),
        ("look", "react", "look", ""),
        ("Search[Super Bowl [50]]", "react", "search", "Super Bowl [50]"),
        ("finish(42)", "react", "finish", "42"),
        ("Book Flight[Oslo]", "react", "book flight", "Oslo"),
        ("search\nAction Input: Oslo  weather", "react", "search", "Oslo weather"),
        ('{"name": "go", "arguments": {"to": "box  2"}}', "tools", "go", [{"to": "box 2"}]),
        ('{"name": "a", "arguments": {}}\n{"name": "B", "arguments": {"x": [1]}}', "tools", "a b", [{}, {"x": [1]}]),
        ("x = search('a')\nprint(x)", "code", "search print", "x = search('a') print(x)"),
        ("42", "plain", "42", ""),
    ],
)
def test_commands_have_a_name_and_arguments(action, style, name, arguments) -> None:
    assert read_command(action, style) == Command(name, arguments)


@pytest.mark.parametrize(
    ("found", "exact", "name", "arguments", "f1"),
    [
        (" search[Super  Bowl 50]\n", True, True, True, 1.0),
        ("Search(Super Bowl 50)", False, True, True, 1.0),
        ("search[Super Bowl]", False, True, False, 0.8),
        ("lookup[Super Bowl 50]", False, False, False, 1.0),
        ("wait", False, False, False, 0.0),
        (None, False, False, False, 0.0),
    ],
)
def test_a_command_is_matched_by_its_parts(found, exact, name, arguments, f1) -> None:
    match = match_actions(found, "search[Super Bowl 50]", "react")
    assert (match.exact, match.name, match.arguments) == (exact, name, arguments)
    assert match.argument_f1 == pytest.approx(f1)


def test_the_order_of_keys_is_no_argument() -> None:
    first = '{"name": "book", "arguments": {"to": "Oslo", "day": 3}}'
    match = match_actions('{"arguments": {"day": 3, "to": "Oslo"}, "name": "book"}', first, "tools")
    assert (match.exact, match.arguments, match.argument_f1) == (False, True, 1.0)
    assert not match_actions(first.replace("3", "4"), first, "tools").arguments
