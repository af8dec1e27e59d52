"""Pages by name: exactly, nearly, by what they redirect from, or by what is similar; see :class:`LocalEncyclopedia`."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol

import numpy as np

from spanwise.environments.hotpotqa.records import Page, Redirect
from spanwise.environments.hotpotqa.title_index import TitleIndex, build_title_index

#: Meanings that an ambiguous name's list shows.
_MEANINGS = 50
#: Redirects that are followed from one.
_HOPS = 5


class Encyclopedia(Protocol):
    """What an episode searches."""

    def article(self, name: str) -> str | None:
        """Text of the page that the name means; None if it means none."""
        ...

    def similar(self, name: str, count: int) -> list[str]:
        """Titles that are like a name that means no page, the likest first."""
        ...


@dataclass(frozen=True, slots=True)
class LocalEncyclopedia:
    """Pages that are here, in memory or on disk.

    A name means the page of that very title; else one whose title is the same but for case, accents, dashes, quotes and
    white space; else the one whose title is the same without what stands in parentheses at its end. Where several are,
    the name is ambiguous, and means a page that lists them, as Wikipedia has. Redirects count as titles of the pages
    that they lead to.

    Attributes:
        index: Where titles are found.
        starts: Where the text of each entry begins, in bytes of ``texts``.
        stops: Where it ends.
        texts: Texts of all pages, in UTF-8.
    """

    index: TitleIndex
    starts: np.ndarray
    stops: np.ndarray
    texts: bytes | mmap.mmap

    def article(self, name: str) -> str | None:
        """See :class:`Encyclopedia`."""
        if named := self.index.named(name):
            return self._text(named[0])
        meanings = self._meanings(name)
        if len(meanings) > 1:
            return "\n".join([f"{name} may refer to:", *(self.index.titles[page] for page in meanings[:_MEANINGS])])
        return self._text(meanings[0]) if meanings else None

    def similar(self, name: str, count: int) -> list[str]:
        """See :class:`Encyclopedia`.

        A name in brackets is one that is ambiguous: its meanings come first, and the page that lists them, to which
        searching for it would lead again, is left out.
        """
        if not (name.startswith("[") and name.endswith("]")):
            return [self.index.titles[page] for page in self.index.similar(name, count)]
        name = name[1:-1]
        listing = {int(self.index.target[entry]) for entry in self.index.named(name)}
        pages = [*self._meanings(name), *self.index.similar(name, count + len(listing))]
        return [self.index.titles[page] for page in dict.fromkeys(pages) if page not in listing][:count]

    def _meanings(self, name: str) -> list[int]:
        return list(dict.fromkeys(int(self.index.target[entry]) for entry in self.index.qualified(name)))

    def _text(self, entry: int) -> str:
        return self.texts[int(self.starts[entry]) : int(self.stops[entry])].decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What of an encyclopedia is not its texts; ``pages`` without redirects, ``dangling`` redirects lead nowhere."""

    index: TitleIndex
    starts: np.ndarray
    stops: np.ndarray
    pages: int
    dangling: int


def build_encyclopedia(records: Iterable[Page | Redirect]) -> LocalEncyclopedia:
    """An encyclopedia in memory."""
    texts = BytesIO()
    shelf = build_shelf(records, texts)
    return LocalEncyclopedia(shelf.index, shelf.starts, shelf.stops, texts.getvalue())


def build_shelf(
    records: Iterable[Page | Redirect], texts: BinaryIO, progress: Callable[[int], None] = lambda pages: None
) -> Shelf:
    """Writes the texts of pages one after the other, and gives all else.

    Args:
        records: Pages and redirects; of several pages of one title, the first is found.
        texts: Where the texts go.
        progress: Told, now and then, how many records were read.
    """
    titles: list[str] = []
    ends = array("q")
    redirects: dict[int, str] = {}
    place = 0
    for record in records:
        if isinstance(record, Redirect):
            redirects[len(titles)] = record.target
        else:
            place += texts.write("".join(record.sentences).encode("utf-8", "surrogatepass"))
        titles.append(record.title)
        ends.append(place)
        if len(titles) % 10_000 == 0:
            progress(len(titles))
    target = np.arange(len(titles))
    lost = _follow(titles, redirects, target)
    stops = np.frombuffer(ends, np.int64) if titles else np.empty(0, np.int64)
    starts = np.concatenate(([0], stops))[:-1][target]
    stops = stops[target]
    lengths = np.fromiter(map(len, titles), np.int64, len(titles))
    lengths[lost] = -1  # left out below
    order = np.argsort(lengths, kind="stable")[len(lost) :]
    place_of = np.empty(len(titles), np.int64)
    place_of[order] = np.arange(len(order))
    index = build_title_index([titles[number] for number in order], place_of[target[order]])
    return Shelf(index, starts[order], stops[order], len(titles) - len(redirects), len(lost))


def _follow(titles: list[str], redirects: dict[int, str], target: np.ndarray) -> list[int]:
    """Sets the page that each redirect leads to; the redirects that lead to none."""
    wanted = set(redirects.values())
    of_title: dict[str, int] = {}
    for number, title in enumerate(titles):
        if title in wanted and (title not in of_title or of_title[title] in redirects):
            of_title[title] = number
    lost = []
    for number in redirects:
        page: int | None = number
        for _ in range(_HOPS):
            page = of_title.get(redirects[page]) if page is not None and page in redirects else page
        if page is None or page in redirects:
            lost.append(number)
        else:
            target[number] = page
    return lost
