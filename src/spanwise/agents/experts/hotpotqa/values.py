"""Dates, numbers and the like in a text."""

from __future__ import annotations

import re

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"  # in the order of the year
)
_MONTH_NUMBERS = {month: number for number, month in enumerate(_MONTHS.split("|"), start=1)}
DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}}) (?P<month>{_MONTHS})|(?P<month2>{_MONTHS})(?: (?P<day2>\d{{1,2}}))?),?"
    r" (?P<year>\d{4})\b"
)
YEAR = re.compile(r"(?<![\d,.])(?:1\d{3}|20\d{2}|[5-9]\d{2}(?= (?:AD|BC|CE)))(?![\d]|,\d|\.\d)")
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_BY_WORD = {**{word: number for number, word in enumerate(_SMALL)}, **_TENS}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
NUMBER = re.compile(
    rf"(?<![\w.])\$?(?P<digits>\d+(?:,\d{{3}})*(?:\.\d+)?)(?!\w|,\d)(?: (?P<scale>{'|'.join(_SCALES)})\b)?"
    rf"|\b(?P<word>{'|'.join(_BY_WORD)})(?: (?P<scale2>{'|'.join(_SCALES)}))?\b",
    re.IGNORECASE,
)


def first_date(text: str) -> tuple[int, int, int] | None:
    """(year, month, day) of the first date of a text; 0 for what it leaves open."""
    date = DATE.search(text)
    year = YEAR.search(text)
    if date is not None and (year is None or date.start() <= year.start()):
        month = _MONTH_NUMBERS[date["month"] or date["month2"]]
        return int(date["year"]), month, int(date["day"] or date["day2"] or 0)
    return (int(year[0]), 0, 0) if year else None


def number_of(found: re.Match[str]) -> float:
    """The value of a match of :data:`NUMBER`."""
    if found["digits"]:
        return float(found["digits"].replace(",", "")) * _SCALES.get((found["scale"] or "").lower(), 1.0)
    return _BY_WORD[found["word"].lower()] * _SCALES.get((found["scale2"] or "").lower(), 1.0)
