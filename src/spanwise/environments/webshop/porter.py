"""The Porter stemmer as search engines run it: the algorithm of 1980 with its author's two later changes.

The changes ("-bli" becomes "-ble", "-logi" becomes "-log") and the rule that words of one or two letters stay as they
are come from the author's own releases, which Lucene follows; Snowball's "porter" has none of the three.
"""

from __future__ import annotations

_VOWELS = frozenset("aeiou")
#: Suffix and what replaces it where the stem before it has a measure above 0; the first suffix that fits decides.
_DOUBLE = (
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
    ("logi", "log"),
)
_SINGLE = (
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
)
#: Suffixes that go where the stem before them has a measure above 1; the first that fits decides.
_LAST = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate"),
    *("iti", "ous", "ive", "ize"),
)


def stem(word: str) -> str:
    """The stem of a lower-case word; characters other than a to z count as consonants."""
    if len(word) < 3:
        return word
    word = _verb_ending(_plural(word))
    if word.endswith("y") and "v" in _shape(word[:-1]):
        word = word[:-1] + "i"
    word = _replace(_replace(word, _DOUBLE), _SINGLE)
    return _final_letters(_without_last_suffix(word))


def _shape(word: str) -> str:
    """One letter for each of the word's: "v" a vowel, "c" a consonant; y is a vowel after a consonant."""
    shape = ""
    for letter in word:
        vowel = letter in _VOWELS or (letter == "y" and shape.endswith("c"))
        shape += "v" if vowel else "c"
    return shape


def _measure(word: str) -> int:
    """How many times a vowel is followed by a consonant."""
    return _shape(word).count("vc")


def _doubled(word: str) -> bool:
    """Whether the word ends in a consonant written twice."""
    return len(word) > 1 and word[-1] == word[-2] and _shape(word)[-1] == "c"


def _short(word: str) -> bool:
    """Whether the word ends in consonant, vowel, consonant, the last not w, x or y."""
    return _shape(word)[-3:] == "cvc" and word[-1] not in "wxy"


def _plural(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _verb_ending(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    if word.endswith(("ed", "ing")):
        kept = word[:-2] if word.endswith("ed") else word[:-3]
        if "v" not in _shape(kept):
            return word
        if kept.endswith(("at", "bl", "iz")):
            return kept + "e"
        if _doubled(kept):
            return kept if kept[-1] in "lsz" else kept[:-1]
        return kept + "e" if _measure(kept) == 1 and _short(kept) else kept
    return word


def _replace(word: str, endings: tuple[tuple[str, str], ...]) -> str:
    for suffix, replacement in endings:
        if word.endswith(suffix):
            kept = word.removesuffix(suffix)
            return kept + replacement if _measure(kept) > 0 else word
    return word


def _without_last_suffix(word: str) -> str:
    for suffix in _LAST:
        if word.endswith(suffix):
            kept = word.removesuffix(suffix)
            stays = suffix == "ion" and not kept.endswith(("s", "t"))
            return word if stays or _measure(kept) <= 1 else kept
    return word


def _final_letters(word: str) -> str:
    measure = _measure(word)
    if word.endswith("e") and (measure > 1 or (measure == 1 and not _short(word[:-1]))):
        word = word[:-1]
    return word[:-1] if word.endswith("l") and measure > 1 and _doubled(word) else word
