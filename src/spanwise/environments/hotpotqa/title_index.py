"""The titles of an encyclopedia, findable by name and by similarity, in arrays that may stay on disk.

Entries (pages, and redirects to them) are numbered from the shortest title to the longest, so that what is spelt alike
is near in a list. Similar titles have rare words of the name, or words that are its own but for a letter: those become
the same when each loses one, so all of them are found by a table of what words are without a letter. What is found is
ordered by edit distance and by how much of the name it covers.
"""

from __future__ import annotations

import math
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA, Levenshtein

from spanwise.environments.hotpotqa.names import fold, without_qualifier, words
from spanwise.environments.hotpotqa.postings import Postings, Strings, group, pack

#: Arrays of an index, and the type of each, for :func:`spanwise.environments.index_file.read_arrays`.
ARRAYS = {
    "target": ("<i4",),
    "title_ends": ("<i8",),
    "titles": ("|u1",),
    "keys": ("<u8",),
    "key_entries": ("<i4",),
    "word_keys": ("<u8",),
    "word_numbers": ("<i4",),
    "word_ends": ("<i8",),
    "word_letters": ("|u1",),
    "posting_ends": ("<i8",),
    "postings": ("<i4",),
    "lacking_keys": ("<u4",),
    "lacking_words": ("<i4",),
}
#: Letters of a name that similar titles are sought by; no title of Wikipedia has more.
LETTERS = 255
#: Entries whose titles are compared letter by letter.
COMPARED = 48
#: Words of a name that are sought, the rarest.
SOUGHT = 8
#: Of those, as many are taken to be mistyped; titles that such a word may be in, and letters that it may have.
MENDED, FREQUENT, SPELT = 3, 100, 32
#: Words that may stand in for one.
STAND_INS = 8
#: Likeness (0 to 1) of a word that may stand in.
ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class TitleIndex:
    """Where titles are found; see the module.

    Attributes:
        target: Of each entry, the entry of the page that it stands for: itself, or what it redirects to.
        titles: Title of each entry.
        names: Hashes of folded names, and of those without a qualifier; their entries, the shortest first.
        vocabulary: Words of the titles.
        word_names: Hashes of words, and their numbers.
        postings: Entries of each word.
        lacking: Hashes of words, and of what they are without one of their letters, and the numbers of those words.
    """

    target: np.ndarray
    titles: Strings
    names: tuple[np.ndarray, np.ndarray]
    vocabulary: Strings
    word_names: tuple[np.ndarray, np.ndarray]
    postings: Postings
    lacking: tuple[np.ndarray, np.ndarray]

    def __len__(self) -> int:
        return len(self.titles)

    def named(self, title: str) -> list[int]:
        """Entries of that very title; else those whose titles fold to the same, the likest first."""
        folded = fold(title)
        entries = [entry for entry in self._entries("name", folded) if fold(self.titles[entry]) == folded]
        exact = [entry for entry in entries if self.titles[entry] == title]
        return exact or sorted(entries, key=lambda entry: Levenshtein.distance(title, self.titles[entry]))

    def qualified(self, title: str) -> list[int]:
        """Entries whose titles fold to the same without their qualifier, the shortest first."""
        folded = fold(title)
        entries = self._entries("bare", folded)
        return [entry for entry in entries if without_qualifier(fold(self.titles[entry])) == folded]

    def similar(self, name: str, count: int) -> list[int]:
        """Entries of pages with the most similar titles, each title once, the likest first."""
        folded = fold(name[: 4 * LETTERS])[:LETTERS]
        rows = {word: _number(self.word_names, word) for word in words(folded)}
        rarest = sorted(rows, key=lambda word: -self._weight(rows[word]))[:SOUGHT]
        weights = {row: self._weight(row) for word in rarest if (row := rows[word]) is not None}
        rare = [word for word in rarest if (row := rows[word]) is None or self.postings.length(row) <= FREQUENT]
        for word in rare[:MENDED]:
            weights = self._stand_ins(word, self._weight(rows[word])) | weights
        for one, other in pairwise(rows):
            if (row := _number(self.word_names, one + other)) is not None:
                weights = {row: self._weight(rows[one]) + self._weight(rows[other])} | weights
        found = self._ranked(folded, weights, sum(self._weight(row) for row in rows.values()))
        pages: dict[str, int] = {}
        for entry in found:
            if len(pages) == count:
                break
            pages.setdefault(self.titles[entry], entry)
        return list(pages.values())

    def arrays(self) -> dict[str, np.ndarray]:
        """The index as arrays by name; see ``ARRAYS``."""
        return dict(
            zip(
                ARRAYS,
                (
                    self.target,
                    self.titles.ends,
                    self.titles.letters,
                    *self.names,
                    *self.word_names,
                    self.vocabulary.ends,
                    self.vocabulary.letters,
                    self.postings.ends,
                    self.postings.items,
                    *self.lacking,
                ),
                strict=True,
            )
        )

    @staticmethod
    def of(arrays: Mapping[str, np.ndarray]) -> TitleIndex:
        """The index that :meth:`arrays` gave."""
        return TitleIndex(
            arrays["target"],
            Strings(arrays["title_ends"], arrays["titles"]),
            (arrays["keys"], arrays["key_entries"]),
            Strings(arrays["word_ends"], arrays["word_letters"]),
            (arrays["word_keys"], arrays["word_numbers"]),
            Postings(arrays["posting_ends"], arrays["postings"]),
            (arrays["lacking_keys"], arrays["lacking_words"]),
        )

    def _entries(self, kind: str, folded: str) -> list[int]:
        keys, entries = self.names
        key = _hash(kind, folded)
        low, high = int(keys.searchsorted(key)), int(keys.searchsorted(key, "right"))
        return [int(entry) for entry in entries[low:high]]

    def _weight(self, row: int | None) -> float:
        """Rarity of a word, in nats."""
        return math.log(1 + len(self) / (1 if row is None else self.postings.length(row)))

    def _stand_ins(self, word: str, weight: float) -> dict[int, float]:
        """Words that differ from a word by a letter, or are its two parts, and what they weigh in its place."""
        if len(word) > SPELT:
            return {}
        keys, numbers = self.lacking
        wanted = np.fromiter(map(_short_hash, _lacking(word)), np.uint32)
        lows, highs = keys.searchsorted(wanted), keys.searchsorted(wanted, "right")
        found = np.unique(np.concatenate([numbers[low:high] for low, high in zip(lows, highs, strict=True)]))
        frequency = self.postings.ends[found + 1] - self.postings.ends[found]
        order = np.argsort(-frequency, kind="stable")[:COMPARED]
        spelt = [self.vocabulary[int(number)] for number in found[order]]
        alike = process.cdist([word], spelt, scorer=OSA.normalized_similarity)[0]
        # Of those that are as likely to be meant by their letters, the frequent ones are likelier.
        best = [place for place in np.argsort(-alike, kind="stable")[:STAND_INS] if alike[place] >= ALIKE]
        cuts = range(2, len(word) - 1)
        begins = _numbers(self.word_names, [word[:cut] for cut in cuts])
        rests = _numbers(self.word_names, [word[cut:] for cut in cuts])
        whole = (begins >= 0) & (rests >= 0)
        parts = dict.fromkeys([*begins[whole].tolist(), *rests[whole].tolist()], weight / 2)
        return parts | {int(found[order[place]]): weight * float(alike[place]) ** 2 for place in best}

    def _near(self, length: int) -> int:
        """The first entry whose title has that many letters."""
        return bisect_left(range(len(self)), length, key=lambda entry: len(self.titles[entry]))

    def _ranked(self, folded: str, weights: dict[int, float], heaviest: float) -> list[int]:
        """Entries of pages that have the words, the likest first."""
        entries, scores = self.postings.best(weights, COMPARED, self._near(len(folded)))
        if not len(entries):
            return []
        titles = [fold(self.titles[int(entry)]) for entry in entries]
        spelling = process.cdist([folded], titles, scorer=OSA.normalized_similarity)[0]
        likeness = spelling + np.minimum(scores / heaviest, 1)
        return [int(self.target[entry]) for entry in entries[np.lexsort((entries, -likeness))]]


def build_title_index(titles: Sequence[str], target: np.ndarray) -> TitleIndex:
    """The index of titles that are ordered by length.

    Args:
        titles: Title of each entry.
        target: Entry of the page of each.
    """
    names: list[tuple[bytes, int]] = []
    numbers: dict[str, int] = {}
    of_word, counts = array("i"), array("i")
    for entry, title in enumerate(titles):
        folded = fold(title)
        names.append((_digest("name", folded), entry))
        bare = without_qualifier(folded)
        if bare != folded:
            names.append((_digest("bare", bare), entry))
        found = words(folded)
        of_word.extend([numbers.setdefault(word, len(numbers)) for word in found])
        counts.append(len(found))
    entries = np.repeat(np.arange(len(titles), dtype=np.int32), np.frombuffer(counts, np.int32) if counts else [])
    vocabulary = list(numbers)
    return TitleIndex(
        target.astype(np.int32),
        pack(titles),
        _table([key for key, _ in names], np.array([entry for _, entry in names], np.int32)),
        pack(vocabulary),
        _table([_digest("word", word) for word in vocabulary], np.arange(len(vocabulary), dtype=np.int32)),
        group(of_word, entries, len(numbers)),
        _lacking_table(vocabulary),
    )


def _lacking_table(vocabulary: list[str]) -> tuple[np.ndarray, np.ndarray]:
    hashes, numbers = array("I"), array("i")
    for number, word in enumerate(vocabulary):
        if len(word) <= SPELT:
            texts = _lacking(word)
            hashes.extend(map(_short_hash, texts))
            numbers.extend([number] * len(texts))
    keys = np.array(hashes, np.uint32)
    order = np.argsort(keys, kind="stable")
    return keys[order], np.array(numbers, np.int32)[order]


def _lacking(word: str) -> list[str]:
    """A word, and what it is without one of its letters."""
    return list(dict.fromkeys([word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]))


def _short_hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def _digest(kind: str, text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=kind.encode()).digest()


def _hash(kind: str, text: str) -> np.uint64:
    return np.uint64(int.from_bytes(_digest(kind, text), "little"))


def _table(digests: list[bytes], numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes in ascending order, and their numbers."""
    keys = np.frombuffer(b"".join(digests), "<u8")
    order = np.argsort(keys, kind="stable")
    return keys[order], numbers[order]


def _number(table: tuple[np.ndarray, np.ndarray], text: str) -> int | None:
    """The number of a word; None where it has none."""
    number = int(_numbers(table, [text])[0])
    return None if number < 0 else number


def _numbers(table: tuple[np.ndarray, np.ndarray], texts: Sequence[str]) -> np.ndarray:
    """The number of each word, -1 where it has none."""
    keys, numbers = table
    if not texts or not len(keys):
        return np.full(len(texts), -1, np.int32)
    wanted = np.frombuffer(b"".join(_digest("word", text) for text in texts), "<u8")
    places = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, numbers[places], -1)
