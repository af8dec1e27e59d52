"""Numbers as people read them."""

import pytest

from spanwise.report import tables


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0, "0.00"),
        (1, "1.00"),
        (9.876, "9.88"),
        (12.34, "12.3"),
        (456.7, "457"),
        (0.01234, "0.0123"),
        (2e-9, "0.000000"),
    ],
)
def test_numbers_have_three_significant_digits_and_no_exponent(value, printed):
    assert tables._number({"value": value, "low": None, "high": None}).text == printed


def test_an_interval_has_the_decimals_of_its_value():
    cell = tables._number({"value": 12.34, "low": 9.87654, "high": 101.0})
    assert (cell.text, cell.detail) == ("12.3", "9.9–101.0")


def test_an_unknown_number_is_a_dash():
    assert tables._number({"value": None, "low": None, "high": None}).text == "—"
    assert tables.share_cell({"value": None, "low": None, "high": None}).text == "—"


@pytest.mark.parametrize(("n", "printed"), [(12, "12"), (5_300_000, "5.3M"), (135_000_000, "135M"), (1_500, "1.5k")])
def test_parameters_are_told_in_units(n, printed):
    assert tables.count(n) == printed


def test_markdown_shows_a_cell_as_it_is():
    table = tables.Table("t", (tables.Column("a|b"),), ((tables.Cell("x|y\n<b> *z* _q_ token_kd"),),), ("note [1]",))
    header, rule, row, _, note = tables.to_markdown(table).splitlines()
    assert header == r"| a\|b |"
    assert rule == "| :-- |"
    assert row == r"| x\|y \<b\> \*z\* \_q\_ token_kd |"
    assert note == r"note \[1\]"
