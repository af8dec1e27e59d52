import pytest

from spanwise.environments.hotpotqa.encyclopedia import build_encyclopedia
from spanwise.environments.hotpotqa.records import Page, Redirect


def encyclopedia(*titles, redirects=()):
    pages = [Page(title, (f"<{title}>",)) for title in titles]
    return build_encyclopedia([*pages, *(Redirect(title, target) for title, target in redirects)])


def test_the_very_title_goes_before_one_that_is_nearly_the_same():
    made = encyclopedia("US", "Us", "us (pronoun)")
    assert made.article("Us") == "<Us>"
    assert made.article("US") == "<US>"
    assert made.article("uS") in ("<US>", "<Us>")


def test_a_title_goes_before_one_with_a_qualifier():
    made = encyclopedia("Rust", "Rust (film)")
    assert made.article("rust") == "<Rust>"
    assert made.article("Rust (film)") == "<Rust (film)>"


def test_a_qualifier_may_be_left_out_where_one_page_has_the_name():
    assert encyclopedia("Rust (film)").article("RUST") == "<Rust (film)>"


def test_several_pages_of_a_name_are_listed():
    made = encyclopedia("Rust (film)", "Rust (1990 film)", "Rusty")
    assert made.article("rust") == "rust may refer to:\nRust (film)\nRust (1990 film)"
    assert made.similar("[rust]", 5) == ["Rust (film)", "Rust (1990 film)", "Rusty"]


def test_redirects_lead_to_pages_over_several_steps_and_never_in_circles():
    made = encyclopedia(
        "Richard Nixon",
        redirects=[
            ("Nixon", "President Nixon"),
            ("President Nixon", "Richard Nixon"),
            ("A", "B"),
            ("B", "A"),
            ("C", "D"),
        ],
    )
    assert made.article("nixon") == made.article("president nixon") == "<Richard Nixon>"
    assert made.article("A") is made.article("C") is None
    assert made.similar("President Nixom", 5) == ["Richard Nixon"]


def test_a_page_goes_before_a_redirect_of_the_same_title():
    made = encyclopedia("A", "B", redirects=[("B", "A"), ("b!", "B")])
    assert made.article("b!") == "<B>"


def test_of_pages_of_one_title_the_first_is_found():
    made = build_encyclopedia([Page("A", ("first",)), Page("A", ("second",))])
    assert made.article("A") == "first"
    assert made.similar("A b", 5) == ["A"]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Ken Kesy", "Ken Kesey"),
        ("Ken Keesey", "Ken Kesey"),
        ("Ken Kesye", "Ken Kesey"),
        ("Kxn Kesey", "Ken Kesey"),
        ("Ken Kesey author", "Ken Kesey"),
        ("the novelist Kesey", "Ken Kesey"),
        ("Spiderman", "Spider-Man"),
        ("Live wire", "Livewire (album)"),
        ("Minesota Timberwolfs", "Minnesota Timberwolves"),
    ],
)
def test_similar_titles(name, title):
    others = [f"{one} {other}" for one in ("Ken", "Live", "Novel", "Wire") for other in ("Hill", "Street", "Author")]
    made = encyclopedia("Ken Kesey", "Spider-Man", "Livewire (album)", "Minnesota Timberwolves", *others)
    assert made.article(name) is None
    assert made.similar(name, 5)[0] == title


def test_similar_titles_are_as_many_as_asked_for_at_most_and_each_once():
    made = encyclopedia(*(f"Ken {number}" for number in range(20)))
    found = made.similar("Ken", 5)
    assert len(set(found)) == 5
    assert made.similar("zqxj", 5) == []
    assert made.similar("", 5) == []


def test_an_empty_encyclopedia_finds_nothing():
    made = build_encyclopedia([])
    assert made.article("x") is None
    assert made.similar("x", 5) == made.similar("[x]", 5) == []


def test_titles_of_any_kind_are_found():
    titles = [
        "AC/DC",
        'He said "x"',
        "a\nb",
        "x" * 10_000,
        "50% (a|b)*",
        "'; DROP TABLE pages; --",
        "日本",
        "\ud800",
        "",
    ]
    made = encyclopedia(*titles)
    assert [made.article(title) for title in titles] == [f"<{title}>" for title in titles]
