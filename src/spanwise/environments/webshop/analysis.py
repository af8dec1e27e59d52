"""Text to search terms, as Lucene's English chain does it by default in Anserini.

Words by Lucene's StandardTokenizer (Unicode's word breaks; emoji are words, and so is a "™"), no possessive "'s", lower
case, no stop words, Porter stems. Character properties are those of `regex`, a newer Unicode than Lucene's, except
where newer tables moved characters that product texts use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import regex

from spanwise.environments.webshop.porter import stem

#: Longer words are cut into pieces of this many characters.
LONGEST = 255
STOP_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "if",
        "in",
        "into",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "will",
        "with",
    )
)
#: Pictographs of Unicode 14; later tables keep fewer of them.
_PICTOGRAPHS = (
    r"\u00A9\u00AE\u203C\u2049\u2122\u2139\u2194-\u2199\u21A9\u21AA\u231A\u231B\u2328\u2388\u23CF\u23E9-\u23F3"
    r"\u23F8-\u23FA\u24C2\u25AA\u25AB\u25B6\u25C0\u25FB-\u25FE\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    r"\u2708-\u2712\u2714\u2716\u271D\u2721\u2728\u2733\u2734\u2744\u2747\u274C\u274E\u2753-\u2755\u2757\u2763-\u2767"
    r"\u2795-\u2797\u27A1\u27B0\u27BF\u2934\u2935\u2B05-\u2B07\u2B1B\u2B1C\u2B50\u2B55\u3030\u303D\u3297\u3299"
    r"\U0001F000-\U0001F0FF\U0001F10D-\U0001F10F\U0001F12F\U0001F16C-\U0001F171\U0001F17E\U0001F17F\U0001F18E"
    r"\U0001F191-\U0001F19A\U0001F1AD-\U0001F1E5\U0001F201-\U0001F20F\U0001F21A\U0001F22F\U0001F232-\U0001F23A"
    r"\U0001F23C-\U0001F23F\U0001F249-\U0001F3FA\U0001F400-\U0001F53D\U0001F546-\U0001F64F\U0001F680-\U0001F6FF"
    r"\U0001F774-\U0001F77F\U0001F7D5-\U0001F7FF\U0001F80C-\U0001F80F\U0001F848-\U0001F84F\U0001F85A-\U0001F85F"
    r"\U0001F888-\U0001F88F\U0001F8AE-\U0001F8FF\U0001F90C-\U0001F93A\U0001F93C-\U0001F945\U0001F947-\U0001FAFF"
    r"\U0001FC00-\U0001FFFD"
)
_WORD = "{underscore}*+ {block} (?: {underscore}++ {block} )*+ {underscore}*+"
_BLOCK = (
    "(?: {katakana} (?: {letter}++ (?: {inside_word} {letter}++ )*+ | {digit}++ (?: {inside_number} {digit}++ )*+ )++ )"
)


def _word(**classes: str) -> str:
    return _WORD.format(block=_BLOCK.format(**classes), **classes)


#: In ASCII text the rules come down to this; it is several times as fast.
_ASCII_WORD = _word(
    underscore="_", katakana="", letter="[A-Za-z]", digit="[0-9]", inside_word="[.:']", inside_number="[.,;']"
)
#: Underscores without a letter are no word; a row of them is passed over as one, or each would be read from anew.
_ASCII = re.compile(rf"( {_ASCII_WORD} ) | _++", re.VERBOSE)


def _unicode_pattern() -> regex.Pattern[str]:
    modifier = r"[\U0001F3FB-\U0001F3FF]"
    #: What belongs to the character before it.
    extend = rf"[[\p{{WB=Format}}\p{{WB=Extend}}\p{{WB=ZWJ}}]--{modifier}]*+"
    #: A letter before which double quotes are part of a word, and after which single ones are.
    hebrew = rf"""\p{{WB=Hebrew_Letter}} {extend} (?: ' {extend} | " {extend} (?= \p{{WB=Hebrew_Letter}} ) )?+"""
    underscore = rf"(?: [\p{{WB=ExtendNumLet}}--\u202F] {extend} )"
    word = _word(
        underscore=underscore,
        katakana=rf"(?: \p{{WB=Katakana}} {extend} )++ |",
        letter=rf"(?: \p{{WB=ALetter}} {extend} | {hebrew} )",
        digit=rf"(?: [\p{{WB=Numeric}}\uFF10-\uFF19] {extend} )",
        inside_word=rf"[:\p{{WB=MidLetter}}\p{{WB=MidNumLet}}'] {extend}",
        inside_number=rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}'] {extend}",
    )
    unselected = rf"[[\p{{WB=Format}}\p{{WB=Extend}}\p{{WB=ZWJ}}]--[\uFE0E\uFE0F]--{modifier}]*+"
    picture = (
        rf"(?: \u200D*+ \p{{Emoji_Modifier_Base}} {unselected} {modifier} {unselected}"
        rf" | \u200D*+ [{_PICTOGRAPHS}] {unselected} \uFE0F?+ | {modifier} {unselected} )"
    )
    emoji = (
        rf"{picture} (?: [\U000E0020-\U000E007E]++ \U000E007F | (?: (?: \u200D | (?<= \u200D ) ) {picture} )*+ )"
        rf"| [0-9\#*] {unselected} \uFE0F?+ \u20E3 {unselected} | (?: \p{{WB=Regional_Indicator}} {extend} ){{2}}"
    )
    other = rf"(?: \p{{LB=SA}} {extend} )++ | [\p{{Script=Han}}\p{{Script=Hiragana}}] {extend}"
    return regex.compile(rf"( {word} | {emoji} | {other} ) | {underscore}++ | \u200D++", regex.VERBOSE | regex.VERSION1)


_UNICODE = _unicode_pattern()


def words(text: str) -> list[str]:
    """The words of a text, in order, as the tokenizer cuts them."""
    pattern = _ASCII if text.isascii() else _UNICODE
    found = list(filter(None, pattern.findall(text)))
    if len(text) > LONGEST and any(len(word) > LONGEST for word in found):
        return list(_cut_words(pattern, text))
    return found


def _cut_words(pattern: re.Pattern[str] | regex.Pattern[str], text: str) -> Iterator[str]:
    """The words of a text some of whose words are too long, as a scanner finds them that sees `LONGEST` characters."""
    start = 0
    while found := pattern.search(text, start):
        start = found.end()
        if start - found.start() <= LONGEST:
            if found.group(1):
                yield found.group(1)
            continue
        end, start = start, found.start()
        while start < end:
            piece = pattern.match(text, start, min(start + LONGEST, len(text)))
            if piece is not None and piece.group(1):
                yield piece.group(1)
            start = start + 1 if piece is None else piece.end()


@lru_cache(maxsize=1 << 16)
def term(word: str) -> str | None:
    """What the index holds for a word; None for a stop word."""
    if len(word) > 1 and word[-1] in "sS" and word[-2] in "'’＇":
        word = word[:-2]
    word = lower(word)
    return None if word in STOP_WORDS else stem(word)


def lower(text: str) -> str:
    """The text in lower case, character by character: no letter becomes two, and none depends on its neighbours."""
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


def terms(text: str) -> list[str]:
    """The search terms of a text, in order, with repetitions."""
    return [found for word in words(text) if (found := term(word)) is not None]
