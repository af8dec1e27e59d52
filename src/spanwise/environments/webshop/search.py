"""Documents found by words and ranked as Lucene ranks them: BM25, to the last bit of its arithmetic.

k1 = 0.9, b = 0.4; document lengths kept to eight bits; each word's part of a score is a float32, their sum is a
double that is rounded to float32. What an index holds of a word in a document, its frequency and the document's
length, is kept as the number of such a pair: there are few pairs, so the part of a score that depends on them is
computed once an index, not once a search.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

import numpy as np

from spanwise.environments.index_file import read_arrays, write_arrays
from spanwise.environments.webshop.analysis import term, terms, words

FILE = "search.index"
#: Of what is written and of how text becomes terms: an index of another version is not read.
VERSION = 1
K1, B = np.float32(0.9), np.float32(0.4)
#: Documents that a build holds at once, bytes that it keeps in memory before it writes to a temporary file, and words
#: whose terms are remembered.
BATCH, SPOOLED, REMEMBERED = 20_000, 1 << 26, 1 << 19

_TYPES = {
    "letters": ("|u1",),
    "ends": ("<i8",),
    "starts": ("<i8",),
    "documents": ("<i4",),
    "pairs": ("<u2", "<u4"),
    "frequencies": ("<i4",),
    "lengths": ("|u1",),
    "order": ("<i4",),
}


#: Documents that a term must have before a search asks whether it can do without going through all of them, and the
#: share of a score by which it errs on the side of looking: much more than sums are rounded by.
FREQUENT, SLACK = 1 << 15, 1e-5


def _known_lengths() -> np.ndarray:
    """The document length that each byte stands for: int64 [256], exact below 40, then four significant bits."""
    exact = 24
    known = list(range(exact))
    for code in range(256 - exact):
        bits, shift = code & 7, (code >> 3) - 1
        known.append(exact + (bits if shift < 0 else (bits | 8) << shift))
    return np.array(known)


_LENGTHS = _known_lengths()


@dataclass(frozen=True, slots=True)
class _QueryTerm:
    """A term's weight in a query, and where its postings are."""

    weight: np.float32
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Index:
    """Which documents hold which terms, in memory or memory-mapped.

    Attributes:
        with_terms: Documents that hold a term.
        tokens: Terms of all documents, with repetitions.
        letters: The terms in UTF-8, one after the other, sorted.
        ends: Where in ``letters`` each term begins, and where the last one ends: [terms + 1].
        starts: Where in ``documents`` those of each term begin, and where the last ones end: [terms + 1].
        documents: Numbers of the documents that hold a term, ascending for each term: [postings].
        pairs: For each posting the number of its pair: [postings].
        frequencies: How often the term occurs in the document, of each pair: [pairs].
        lengths: The byte of the document's length, of each pair: [pairs].
        order: Each document's place among documents of equal score: [documents].
    """

    with_terms: int
    tokens: int
    letters: np.ndarray
    ends: np.ndarray
    starts: np.ndarray
    documents: np.ndarray
    pairs: np.ndarray
    frequencies: np.ndarray
    lengths: np.ndarray
    order: np.ndarray
    _divisors: np.ndarray = field(init=False, repr=False)
    _places: dict[str, int | None] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        average, one = np.float32(max(self.tokens, 1) / max(self.with_terms, 1)), np.float32(1)
        inverse = one / (K1 * ((one - B) + B * _LENGTHS.astype(np.float32) / average))
        object.__setattr__(self, "_divisors", one + self.frequencies.astype(np.float32) * inverse[self.lengths])

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.order)

    def search(self, query: str, k: int = 50) -> list[int]:
        """Numbers of the documents that share a term with a query, best first, ``k`` at most."""
        if k < 1:
            return []
        found, scores = self._scores(self._query(query), k)
        exact = scores.astype(np.float32)
        if len(found) > k:
            good = exact >= _at_least(exact, k)
            found, exact = found[good], exact[good]
        return found[np.lexsort((self.order[found], -exact))[:k]].tolist()

    def _query(self, query: str) -> list[_QueryTerm]:
        """The terms of a query that a document holds, the rarest first: what it adds to a score is below its weight."""
        known = []
        for name, count in Counter(terms(query)).items():
            place = self._place(name)
            if place is not None:
                first, last = int(self.starts[place]), int(self.starts[place + 1])
                rarity = math.log(1 + (self.with_terms - (last - first) + 0.5) / (last - first + 0.5))
                known.append(_QueryTerm(np.float32(count) * np.float32(rarity), first, last))
        return sorted(known, key=lambda one: one.last - one.first)

    def _scores(self, query: list[_QueryTerm], k: int) -> tuple[np.ndarray, np.ndarray]:
        """Documents, the ``k`` best among them, and the score of each (float64)."""
        scores = np.zeros(len(self), np.float64)
        left = math.fsum(float(one.weight) for one in query)
        for number, one in enumerate(query):
            if one.last - one.first >= FREQUENT:
                needed = self._needed(scores, query[:number], k)
                if left < needed:
                    return self._rescored(scores, query[number:], left, needed)
            scores[self.documents[one.first : one.last]] += self._parts(one.weight, self.pairs[one.first : one.last])
            left -= float(one.weight)
        found = np.flatnonzero(scores > 0)
        return found, scores[found]

    def _needed(self, scores: np.ndarray, query: list[_QueryTerm], k: int) -> float:
        """A score that at least ``k`` documents have, looked for among those of the rarer terms; 0 if there is none."""
        rare = (one for one in query if k <= one.last - one.first < FREQUENT)
        known = (_at_least(scores[self.documents[one.first : one.last]], k) for one in rare)
        return max(known, default=0.0) * (1 - SLACK)

    def _rescored(
        self, scores: np.ndarray, query: list[_QueryTerm], left: float, needed: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The documents that can reach the score that is needed, with the parts of the terms that are left.

        Args:
            scores: What the other terms give each document.
            query: The terms that are left.
            left: What these can add to a score; less than is needed.
            needed: What the best documents have already.
        """
        found = np.flatnonzero(scores >= needed - left).astype(np.int32)
        scores = scores[found]
        for one in query:
            holding = self.documents[one.first : one.last]
            place = np.minimum(np.searchsorted(holding, found), len(holding) - 1)
            holds = holding[place] == found
            scores[holds] += self._parts(one.weight, self.pairs[one.first : one.last][place[holds]])
            left -= float(one.weight)
            hopeful = scores >= needed - left
            found, scores = found[hopeful], scores[hopeful]
        return found, scores

    def _parts(self, weight: np.float32, pairs: np.ndarray) -> np.ndarray:
        """What a term adds to the score of documents that hold it, by their pairs; always above 0."""
        if len(pairs) > len(self._divisors):
            parts = (weight - weight / self._divisors)[pairs]
        else:
            parts = weight - weight / self._divisors[pairs]
        # A part that rounds to 0 must still make its document one that was found.
        return np.maximum(parts, np.float64(1e-300))

    def _place(self, name: str) -> int | None:
        """The number of a term, remembered or by bisection of the sorted terms."""
        if name not in self._places:
            if len(self._places) >= REMEMBERED:
                self._places.clear()
            wanted, sorted_terms = name.encode("utf-8", "surrogatepass"), _Terms(self.letters, self.ends)
            place = bisect_left(sorted_terms, wanted)
            known = place < len(sorted_terms) and sorted_terms[place] == wanted
            self._places[name] = place if known else None
        return self._places[name]

    def save(self, folder: Path) -> None:
        """Writes the index whole or not at all; the same documents give the same bytes.

        Raises:
            TaskDataError: The folder cannot be written.
        """
        numbers = {"with_terms": self.with_terms, "tokens": self.tokens}
        write_arrays(folder / FILE, VERSION, numbers, {name: getattr(self, name) for name in _TYPES})

    @staticmethod
    def load(folder: Path) -> Index:
        """The index of a folder, memory-mapped, after its checksums were compared.

        Raises:
            TaskDataError: It is missing, damaged, or of another version.
        """
        numbers, arrays = read_arrays(folder / FILE, VERSION, _TYPES)
        return Index(numbers["with_terms"], numbers["tokens"], *(arrays[name] for name in _TYPES))


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms of an index as a sequence of bytes."""

    letters: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, place: int) -> bytes:
        return self.letters[self.ends[place] : self.ends[place + 1]].tobytes()


def _at_least(scores: np.ndarray, k: int) -> float:
    """The lowest of the ``k`` highest scores."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def build_index(texts: Iterable[str], names: Iterable[str] | None = None, batch: int = BATCH) -> Index:
    """The index of documents; a batch of texts at a time is in memory, and the index itself.

    Args:
        texts: The documents, in the order of their numbers.
        names: A name of each document: of equal scores the smaller name wins, as with Anserini. Without names, or
            where names are equal, the smaller number wins.
        batch: Documents to read together.
    """
    vocabulary, pairs = _Vocabulary(), {}
    blocks: list[tuple[int, int]] = []
    documents = with_terms = tokens = 0
    source = iter(texts)
    with SpooledTemporaryFile(SPOOLED) as spool:
        while part := list(islice(source, batch)):
            found, lengths = _read(part, vocabulary)
            blocks.append(_write_block(spool, documents, found, lengths, pairs))
            documents, tokens = documents + len(part), tokens + int(lengths.sum())
            with_terms += int(np.count_nonzero(lengths))
        order = np.arange(documents, dtype=np.int32)
        if names is not None:
            sorted_names = sorted(zip(names, range(documents), strict=True))
            order[[number for _, number in sorted_names]] = np.arange(documents, dtype=np.int32)
        spool.seek(0)
        return _merged(spool, blocks, vocabulary.terms, pairs, with_terms, tokens, order)


class _Vocabulary(dict[str, int]):
    """Word -> number of its term in order of appearance, -1 for a stop word; forgets words, but no terms."""

    def __init__(self) -> None:
        self.terms: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        name = term(word)
        number = -1 if name is None else self.terms.setdefault(name, len(self.terms))
        if len(self) >= REMEMBERED:
            self.clear()
        self[word] = number
        return number


def _read(texts: list[str], vocabulary: _Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """The distinct (term, document of the batch) as int64 [tokens] sorted, repeated, and each text's length."""
    numbers, sizes = array("i"), []
    for text in texts:
        before = len(numbers)
        numbers.extend(map(vocabulary.__getitem__, words(text)))
        sizes.append(len(numbers) - before)
    found = np.frombuffer(numbers, np.int32) if numbers else np.empty(0, np.int32)
    owner = np.repeat(np.arange(len(texts)), sizes)
    owner, found = owner[found >= 0], found[found >= 0]
    keys = found.astype(np.int64) * len(texts) + owner
    keys.sort()
    return keys, np.bincount(owner, minlength=len(texts))


def _write_block(
    spool: IO[bytes], first: int, keys: np.ndarray, lengths: np.ndarray, pairs: dict[int, int]
) -> tuple[int, int]:
    """Appends the postings of a batch, by term and document; how many terms and postings they are."""
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    frequency = np.diff(begins, append=len(keys))
    owner, number = keys[begins] % len(lengths), keys[begins] // len(lengths)
    code = np.searchsorted(_LENGTHS, lengths[owner], side="right") - 1
    kinds, kind = np.unique(frequency * 256 + code, return_inverse=True)
    kept = np.array([pairs.setdefault(int(one), len(pairs)) for one in kinds], np.uint32)
    distinct = np.flatnonzero(np.diff(number, prepend=-1))
    for part in (
        number[distinct].astype(np.int32),
        np.diff(distinct, append=len(number)).astype(np.int32),
        (owner + first).astype(np.int32),
        kept[kind],
    ):
        spool.write(part.tobytes())
    return len(distinct), len(number)


def _merged(
    spool: IO[bytes],
    blocks: list[tuple[int, int]],
    vocabulary: dict[str, int],
    pairs: dict[int, int],
    with_terms: int,
    tokens: int,
    order: np.ndarray,
) -> Index:
    """One index of the blocks; terms and pairs are sorted, so the size of a block cannot be told from it."""
    encoded = sorted((name.encode("utf-8", "surrogatepass"), number) for name, number in vocabulary.items())
    place = np.empty(len(encoded), np.int64)
    place[[number for _, number in encoded]] = np.arange(len(encoded))
    ends = np.cumsum([0, *(len(name) for name, _ in encoded)], dtype=np.int64)
    letters = np.frombuffer(b"".join(name for name, _ in encoded), np.uint8)
    kinds = np.array(sorted(pairs), np.int64)
    kind_type = np.uint16 if len(kinds) <= 1 << 16 else np.uint32
    renamed = np.empty(len(kinds), kind_type)
    renamed[[pairs[int(one)] for one in kinds]] = np.arange(len(kinds))

    counts = np.zeros(len(encoded), np.int64)
    for distinct, postings in blocks:
        number = _next(spool, np.int32, distinct)
        counts[place[number]] += _next(spool, np.int32, distinct)
        spool.seek(8 * postings, 1)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])

    total = int(starts[-1])
    documents, kind_of = np.empty(total, np.int32), np.empty(total, kind_type)
    filled = starts[:-1].copy()
    spool.seek(0)
    for distinct, postings in blocks:
        where, run = place[_next(spool, np.int32, distinct)], _next(spool, np.int32, distinct)
        before = np.cumsum(run, dtype=np.int64) - run
        target = np.repeat(filled[where] - before, run) + np.arange(postings)
        documents[target] = _next(spool, np.int32, postings)
        kind_of[target] = renamed[_next(spool, np.uint32, postings)]
        filled[where] += run
    frequencies, lengths = (kinds >> 8).astype(np.int32), (kinds & 255).astype(np.uint8)
    return Index(with_terms, tokens, letters, ends, starts, documents, kind_of, frequencies, lengths, order)


def _next(spool: IO[bytes], kind: type, count: int) -> np.ndarray:
    return np.frombuffer(spool.read(count * np.dtype(kind).itemsize), kind)
