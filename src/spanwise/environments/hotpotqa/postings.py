"""Lists of numbers by row, in two arrays; and what is in most of some rows, found without reading the long ones."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Numbers read of one row, and of all together; whether a long row has what was found elsewhere is only asked.
READ_EACH, READ = 500, 3_000
#: Of what was read, as many are asked for in the long rows: the best so far.
ASKED = 128


@dataclass(frozen=True, slots=True)
class Postings:
    """Row ``r`` holds ``items[ends[r]:ends[r + 1]]``, in ascending order."""

    ends: np.ndarray
    items: np.ndarray

    def row(self, number: int) -> np.ndarray:
        """The numbers of a row."""
        return self.items[int(self.ends[number]) : int(self.ends[number + 1])]

    def length(self, number: int) -> int:
        """How many they are."""
        return int(self.ends[number + 1]) - int(self.ends[number])

    def best(self, weights: dict[int, float], count: int, near: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers that are in the heaviest rows, best first, and the sum of the weights of the rows each is in.

        Rows are read from the shortest on, each up to ``READ_EACH`` numbers, those around ``near``. What is in no part
        that was read is not found.

        Args:
            weights: Weight of each row that counts; above 0.
            count: How many to give at most.
            near: Where what is sought is likeliest.
        """
        left, parts, shares = READ, [], []
        asked: list[int] = []
        for row in sorted(weights, key=lambda row: (self.length(row), row)):
            part = self.row(row)
            most = min(READ_EACH, left)
            if len(part) > most:
                # The whole row is asked below, so what is read of it counts there.
                asked.append(row)
                begin = min(max(int(part.searchsorted(near)) - most // 2, 0), len(part) - most)
                part = part[begin : begin + most]
            shares.append(0.0 if asked else weights[row])
            parts.append(part)
            left -= len(part)
        if left == READ:
            return np.empty(0, np.int32), np.empty(0)
        items = np.concatenate(parts)
        order = np.argsort(items)
        items, heavy = items[order], np.repeat(shares, [len(part) for part in parts])[order]
        starts = np.flatnonzero(np.concatenate(([True], items[1:] != items[:-1])))
        found, scores = items[starts], np.add.reduceat(heavy, starts)
        if asked and len(found) > ASKED:
            kept = np.lexsort((np.abs(found - near), -scores))[:ASKED]
            kept.sort()
            found, scores = found[kept], scores[kept]
        for row in asked:
            members = self.row(row)
            places = np.minimum(members.searchsorted(found), len(members) - 1)
            scores = scores + weights[row] * (members[places] == found)
        order = np.lexsort((np.abs(found - near), -scores))[:count]
        return found[order], scores[order]


def group(rows: array[int], items: np.ndarray, count: int) -> Postings:
    """Postings of pairs of a row and a number, given in ascending order of the numbers.

    Args:
        rows: Row of each pair.
        items: Number of each pair.
        count: How many rows there are.
    """
    numbers = np.frombuffer(rows, np.int32) if len(rows) else np.empty(0, np.int32)
    ends = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(numbers, minlength=count), out=ends[1:])
    return Postings(ends, items[np.argsort(numbers, kind="stable")].astype(np.int32))


@dataclass(frozen=True, slots=True)
class Strings:
    """Many texts in two arrays: text ``n`` is ``letters[ends[n]:ends[n + 1]]`` in UTF-8."""

    ends: np.ndarray
    letters: np.ndarray

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, number: int) -> str:
        content = self.letters[int(self.ends[number]) : int(self.ends[number + 1])]
        return content.tobytes().decode("utf-8", "surrogatepass")


def pack(texts: Sequence[str]) -> Strings:
    """The texts, packed."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=ends[1:])
    return Strings(ends, np.frombuffer(b"".join(encoded), np.uint8))
