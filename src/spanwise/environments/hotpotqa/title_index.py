"""The titles of an encyclopedia, findable by name and by similarity, in arrays that may stay on disk.

Entries (pages, and redirects to them) are numbered from the shortest title to the longest, so that the beginning of a
list of entries holds what is likest a short name. Similar titles share rare words with the name; where words are
mistyped, those of the index's own vocabulary that share their trigrams stand in for them; what is found is ordered by
edit distance and by how much of the name it covers.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

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
    "trigram_keys": ("<u8",),
    "trigram_numbers": ("<i4",),
    "trigram_ends": ("<i8",),
    "trigram_words": ("<i4",),
}
#: Letters of a name that similar titles are sought by; no title of Wikipedia has more.
LETTERS = 255
#: Entries whose titles are compared letter by letter.
COMPARED = 100
#: Words whose misspellings are sought, the rarest first; and words that may stand in for each.
MENDED, STAND_INS = 3, 5
#: Likeness (0 to 100) of a word that may stand in, and of a first title that makes the search for such needless.
ALIKE, ENOUGH = 60, 85.0


@dataclass(frozen=True, slots=True)
class TitleIndex:
    """Where titles are found; see the module.

    Attributes:
        target: Of each entry, the entry of the page that it stands for: itself, or what it redirects to.
        titles: Title of each entry.
        names: Hashes of folded names, and of those without a qualifier; their entries in the order of the corpus.
        vocabulary: Words of the titles, the most frequent first.
        word_names: Hashes of words, and their numbers.
        postings: Entries of each word.
        trigram_names: Hashes of trigrams, and their numbers.
        trigrams: Words of each trigram.
    """

    target: np.ndarray
    titles: Strings
    names: tuple[np.ndarray, np.ndarray]
    vocabulary: Strings
    word_names: tuple[np.ndarray, np.ndarray]
    postings: Postings
    trigram_names: tuple[np.ndarray, np.ndarray]
    trigrams: Postings

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
        """Entries of pages with the most similar titles, each page once, the likest first."""
        folded = fold(name[: 4 * LETTERS])[:LETTERS]
        rows = {word: _number(self.word_names, word) for word in words(folded)}
        whole = {row: self._weight(row) for row in rows.values() if row is not None}
        found = self._ranked(folded, whole, len(rows))
        if len(found) < count or found[0][0] < ENOUGH:
            rarest = sorted(rows, key=lambda word: -self._weight(rows[word]))[:MENDED]
            stand_ins = {row: share for word in rarest for row, share in self._stand_ins(word).items()}
            if stand_ins.keys() - whole.keys():
                found = self._ranked(folded, stand_ins | whole, len(rows)) + found
                found.sort(key=lambda one: -one[0])
        return list(dict.fromkeys(entry for _, entry in found))[:count]

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
                    *self.trigram_names,
                    self.trigrams.ends,
                    self.trigrams.items,
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
            (arrays["trigram_keys"], arrays["trigram_numbers"]),
            Postings(arrays["trigram_ends"], arrays["trigram_words"]),
        )

    def _entries(self, kind: str, folded: str) -> list[int]:
        keys, entries = self.names
        key = _hash(kind, folded)
        low, high = int(np.searchsorted(keys, key)), int(np.searchsorted(keys, key, "right"))
        return [int(entry) for entry in entries[low:high]]

    def _weight(self, row: int | None) -> float:
        """Rarity of a word, in nats."""
        return math.log(1 + len(self) / (1 if row is None else self.postings.length(row)))

    def _stand_ins(self, word: str) -> dict[int, float]:
        """Words that are spelt much like a word, and their weights."""
        rows = [_number(self.trigram_names, trigram) for trigram in _trigrams(word)]
        shares = {
            row: math.log(1 + len(self.vocabulary) / self.trigrams.length(row)) for row in rows if row is not None
        }
        numbers, _ = self.trigrams.best(shares, COMPARED // 2)
        spelt = {int(number): self.vocabulary[int(number)] for number in numbers}
        likest = process.extract(word, spelt, scorer=fuzz.ratio, limit=STAND_INS, score_cutoff=ALIKE)
        return {row: self._weight(row) * (share / 100) ** 2 for _, share, row in likest}

    def _ranked(self, folded: str, weights: dict[int, float], count: int) -> list[tuple[float, int]]:
        """Likeness (0 to 100) and entry of pages that have the words, the likest first."""
        entries, scores = self.postings.best(weights, COMPARED)
        if not len(entries):
            return []
        titles = [fold(self.titles[int(entry)]) for entry in entries]
        spelling = process.cdist([folded], titles, scorer=fuzz.ratio)[0]
        heaviest = sum(sorted(weights.values())[-count:])
        likeness = 0.5 * spelling + 50 * np.minimum(scores / heaviest, 1)
        pages = self.target[entries]
        order = np.lexsort((entries, -likeness))
        return [(float(likeness[place]), int(pages[place])) for place in order]


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
    postings, vocabulary = _by_frequency(group(of_word, entries, len(numbers)), list(numbers))
    of_trigram, counts = array("i"), array("i")
    trigrams: dict[str, int] = {}
    for word in vocabulary:
        found = _trigrams(word)
        of_trigram.extend([trigrams.setdefault(trigram, len(trigrams)) for trigram in found])
        counts.append(len(found))
    spelt = np.repeat(np.arange(len(vocabulary), dtype=np.int32), np.frombuffer(counts, np.int32) if counts else [])
    return TitleIndex(
        target.astype(np.int32),
        pack(titles),
        _table([key for key, _ in names], np.array([entry for _, entry in names], np.int32)),
        pack(vocabulary),
        _table([_digest("word", word) for word in vocabulary], np.arange(len(vocabulary), dtype=np.int32)),
        postings,
        _table([_digest("word", trigram) for trigram in trigrams], np.arange(len(trigrams), dtype=np.int32)),
        group(of_trigram, spelt, len(trigrams)),
    )


def _by_frequency(postings: Postings, vocabulary: list[str]) -> tuple[Postings, list[str]]:
    """Rows and words, the most frequent first."""
    lengths = np.diff(postings.ends)
    order = np.argsort(-lengths, kind="stable")
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths[order], out=ends[1:])
    places = np.repeat(postings.ends[:-1][order] - ends[:-1], lengths[order]) + np.arange(len(postings.items))
    return Postings(ends, postings.items[places]), [vocabulary[number] for number in order]


def _trigrams(word: str) -> list[str]:
    padded = f"^{word}$"
    return list(dict.fromkeys(padded[place : place + 3] for place in range(len(padded) - 2)))


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
    """The number of a word or a trigram; None where it has none."""
    keys, numbers = table
    key = _hash("word", text)
    place = int(np.searchsorted(keys, key))
    return int(numbers[place]) if place < len(keys) and keys[place] == key else None
