"""The files of a folder of HotPotQA: questions, as they were released or a line each, and pages.

- ``corpus.jsonl``: a page a line, ``{"title": ..., "sentences": [...]}``, or another title of one, ``{"title": ...,
  "redirect": title}``. Without it, the pages are those of the questions' contexts.
- ``train.jsonl``, ``dev.jsonl``, ``test.jsonl``: a question a line, with the fields of the released files.
- the released files themselves: see ``RELEASED``.

Each may be compressed (``.gz``).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spanwise.environments.hotpotqa.records import Page, Question, Redirect
from spanwise.environments.json_files import find_file, open_text, records
from spanwise.errors import TaskDataError

CORPUS = "corpus.jsonl"
#: Released files of each split; the first that is there gives the questions, the contexts of all give pages.
RELEASED = {
    "train": ("hotpot_train_v1.1.json",),
    "dev": ("hotpot_dev_distractor_v1.json", "hotpot_dev_fullwiki_v1.json"),
    "test": (),
}
TYPES = ("bridge", "comparison")


def question_files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The files of each split that is there.

    Raises:
        TaskDataError: There are none; the message says what there is.
    """
    if not folder.is_dir():
        raise TaskDataError(f"{folder}: is no folder; `spanwise data hotpotqa {folder}` makes it")
    found = {
        split: tuple(path for name in (f"{split}.jsonl", *released) if (path := find_file(folder, name)) is not None)
        for split, released in RELEASED.items()
    }
    if not any(found.values()):
        names = ", ".join(sorted(entry.name for entry in folder.iterdir())[:8]) or "nothing"
        raise TaskDataError(
            f"{folder}: no questions (found: {names}): expected train.jsonl, dev.jsonl or "
            f"{RELEASED['dev'][0]}; `spanwise data hotpotqa {folder}` fetches them"
        )
    return {split: paths for split, paths in found.items() if paths}


def page_files(folder: Path) -> tuple[Path, ...]:
    """The files that the pages come from: the corpus, or else all that have questions."""
    corpus = find_file(folder, CORPUS)
    return (corpus,) if corpus else tuple(path for paths in question_files(folder).values() for path in paths)


def read_pages(folder: Path) -> Iterator[Page | Redirect]:
    """All pages and redirects of a folder, one by one; of pages of one title in contexts, the first.

    Raises:
        TaskDataError: A file is damaged or cut short; the message names its line or record, and the field.
    """
    files = page_files(folder)
    if find_file(folder, CORPUS) is not None:
        for place, record in _records(files[0]):
            yield _page(place, record)
        return
    known = set()
    for path in files:
        for place, record in _records(path):
            for page in _context(place, record):
                if page.title not in known:
                    known.add(page.title)
                    yield page


def read_questions(path: Path, split: str) -> tuple[Question, ...]:
    """The questions of a file. One without an id is called by its split and its number, from 0.

    Raises:
        TaskDataError: The file is damaged or cut short; the message names its line or record, and the field.
    """
    questions: dict[str, Question] = {}
    for number, (place, record) in enumerate(_records(path)):
        question = _question(place, record, f"{split}-{number}")
        if question.id in questions:
            raise TaskDataError(f"{place}: the id {question.id!r} was there before; ids must be unique")
        questions[question.id] = question
    return tuple(questions.values())


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each record is, for messages, and the record."""
    found = _lines(path) if ".jsonl" in path.suffixes else (("record", *one) for one in enumerate(records(path)))
    for kind, number, record in found:
        place = f"{path}: {kind} {number}"
        if not isinstance(record, dict):
            raise TaskDataError(f"{place}: expected an object with fields, found {_short(record)}")
        yield place, record


def _lines(path: Path) -> Iterator[tuple[str, int, Any]]:
    number = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield "line", number, json.loads(line)
    except (EOFError, OSError, ValueError, RecursionError, zlib.error) as error:
        at = number if isinstance(error, json.JSONDecodeError) else number + 1
        raise TaskDataError(f"{path}: line {at}: {error}; the file is cut short or damaged") from error


def _page(place: str, record: dict[str, Any]) -> Page | Redirect:
    title = _text(place, record, "title")
    if "redirect" in record:
        return Redirect(title, _text(place, record, "redirect"))
    return Page(title, _sentences(place, "sentences", _field(place, record, "sentences")))


def _context(place: str, record: dict[str, Any]) -> Iterator[Page]:
    context = _field(place, record, "context", f": without {CORPUS}, pages come from the questions' contexts")
    if not isinstance(context, list):
        raise _wrong(place, "context", "a list of [title, sentences]", context)
    for number, entry in enumerate(context):
        name = f"context[{number}]"
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise _wrong(place, name, "[title, sentences]", entry)
        yield Page(entry[0], _sentences(place, f"{name}[1]", entry[1]))


def _question(place: str, record: dict[str, Any], unnamed: str) -> Question:
    kind = _text(place, record, "type")
    if kind not in TYPES:
        raise _wrong(place, "type", " or ".join(TYPES), kind)
    named = record.get("_id")
    if not (named is None or (isinstance(named, str) and named)):
        raise _wrong(place, "_id", "a text or null", named)
    facts = _field(place, record, "supporting_facts")
    if not isinstance(facts, list):
        raise _wrong(place, "supporting_facts", "a list of [title, number of sentence]", facts)
    for number, fact in enumerate(facts):
        right = isinstance(fact, list) and len(fact) == 2 and isinstance(fact[0], str) and type(fact[1]) is int
        if not right:
            raise _wrong(place, f"supporting_facts[{number}]", "[title, number of sentence]", fact)
    return Question(
        id=unnamed if named is None else named,
        text=_text(place, record, "question"),
        answer=_text(place, record, "answer"),
        type=kind,
        level=_text(place, record, "level"),
        supporting_facts=tuple((title, number) for title, number in facts),
    )


def _sentences(place: str, name: str, value: Any) -> tuple[str, ...]:
    if not (isinstance(value, list) and all(isinstance(sentence, str) for sentence in value)):
        raise _wrong(place, name, "a list of sentences", value)
    return tuple(value)


def _text(place: str, record: dict[str, Any], name: str) -> str:
    value = _field(place, record, name)
    if not isinstance(value, str):
        raise _wrong(place, name, "a text", value)
    return value


def _field(place: str, record: dict[str, Any], name: str, why: str = "") -> Any:
    if name not in record:
        raise TaskDataError(f"{place}: the field {name!r} is missing{why}")
    return record[name]


def _wrong(place: str, name: str, expected: str, found: Any) -> TaskDataError:
    return TaskDataError(f"{place}: {name}: expected {expected}, found {_short(found)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
