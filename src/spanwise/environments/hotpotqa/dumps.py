"""Dumps of Wikipedia's introductions, as pages of a corpus.

- HotPotQA's own: ``enwiki-...-abstracts.tar.bz2``, the folder that it unpacks to, or a file of it; each is a bz2 of
  lines of JSON with ``title`` and ``text``, a list of sentences.
- Wikimedia's: ``enwiki-latest-abstract.xml``, or compressed (``.gz``).
"""

from __future__ import annotations

import bz2
import gzip
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4
from xml.etree import ElementTree

from spanwise.environments.hotpotqa.corpus import CORPUS
from spanwise.environments.hotpotqa.records import Page
from spanwise.errors import TaskDataError

_PREFIX = "Wikipedia: "
_AFTER_SENTENCE = re.compile(r"(?<=[.!?])(?= )")


def write_corpus(dump: Path, folder: Path, progress: Callable[[int], None]) -> Path:
    """Writes ``corpus.jsonl.gz`` from a dump; the file that was there is replaced once the new one is whole.

    Args:
        dump: A file or a folder; see the module.
        folder: Where it goes.
        progress: Told, now and then, how many pages there are.

    Raises:
        TaskDataError: The dump is missing, damaged or of another kind, or the folder cannot be written.
    """
    path = folder / f"{CORPUS}.gz"
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    count = 0
    pages = read_dump(dump)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(partial, "wt", compresslevel=3, encoding="utf-8") as file:
            for count, page in enumerate(pages, 1):
                file.write(json.dumps({"title": page.title, "sentences": page.sentences}, ensure_ascii=False) + "\n")
                if count % 10_000 == 0:
                    progress(count)
        if not count:
            raise TaskDataError(f"{dump}: holds no page")
        partial.replace(path)
        (folder / CORPUS).unlink(missing_ok=True)  # it would be read instead
    except OSError as error:
        raise TaskDataError(f"{error.filename or path}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def read_dump(dump: Path) -> Iterator[Page]:
    """The pages of a dump that have text, one by one.

    Raises:
        TaskDataError: It is missing, damaged or of another kind; the message names the file and the line.
    """
    try:
        yield from _pages(dump)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise TaskDataError(f"{dump}: cannot be read: {error}; it is missing, cut short or damaged") from error
    except ElementTree.ParseError as error:
        raise TaskDataError(f"{dump}: not XML ({error}); it is cut short or damaged") from error


def _pages(dump: Path) -> Iterator[Page]:
    if dump.is_dir():
        files = sorted(dump.rglob("*.bz2"))
        if not files:
            raise TaskDataError(f"{dump}: holds no .bz2 files; expected HotPotQA's abstracts, unpacked")
        for path in files:
            with path.open("rb") as content:
                yield from _lines(content, str(path))
    elif dump.name.endswith((".tar.bz2", ".tar")):
        with tarfile.open(dump, "r|*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.name.endswith(".bz2") else None
                if content is not None:
                    # Each is small, and what streams cannot be sought in, as decompressing wants to.
                    yield from _lines(BytesIO(content.read()), f"{dump}: {member.name}")
    elif dump.suffix == ".bz2":
        with dump.open("rb") as content:
            yield from _lines(content, str(dump))
    elif dump.name.endswith((".xml", ".xml.gz")):
        with dump.open("rb") as content:
            yield from _documents(gzip.GzipFile(fileobj=content) if dump.suffix == ".gz" else content)
    else:
        raise TaskDataError(
            f"{dump}: unknown kind of dump; expected HotPotQA's enwiki-...-abstracts.tar.bz2 (or what it unpacks to), "
            "or Wikimedia's ...-abstract.xml(.gz)"
        )


def _lines(content: IO[bytes], name: str) -> Iterator[Page]:
    number = 0
    try:
        with bz2.open(content, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                page = _record(json.loads(line), f"{name}: line {number}")
                if any(page.sentences):
                    yield page
    except (ValueError, EOFError, RecursionError) as error:
        raise TaskDataError(f"{name}: line {number}: {error}; it is cut short or damaged") from error


def _record(record: Any, place: str) -> Page:
    title, text = (record.get("title"), record.get("text")) if isinstance(record, dict) else (None, None)
    if not isinstance(title, str) or not isinstance(text, list) or not all(isinstance(one, str) for one in text):
        raise TaskDataError(
            f"{place}: expected a title and a text, a list of sentences (HotPotQA's abstracts), found "
            f"title {str(title)[:40]!r}, text {str(text)[:40]!r}"
        )
    return Page(title, tuple(text))


def _documents(content: IO[bytes] | gzip.GzipFile) -> Iterator[Page]:
    events = ElementTree.iterparse(content, ("start", "end"))
    _, root = next(events)
    for event, element in events:
        if event == "end" and element.tag == "doc":
            title = (element.findtext("title") or "").removeprefix(_PREFIX)
            abstract = (element.findtext("abstract") or "").strip()
            if title and abstract:
                yield Page(title, tuple(_AFTER_SENTENCE.split(abstract)))
            root.clear()
