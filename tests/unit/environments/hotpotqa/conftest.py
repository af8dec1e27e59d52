"""A small data folder, written as released data are."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGES = [
    {"title": "Milhouse", "sentences": ["Milhouse is a boy.", " He was named after Richard Nixon."]},
    {"title": "Richard Nixon", "sentences": ["Richard Nixon was a president."]},
    {"title": "Nixon", "redirect": "Richard Nixon"},
]


def question(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "_id": f"q{number}",
        "question": f"Who is number {number}?",
        "answer": "Richard Nixon",
        "type": "bridge",
        "level": "hard",
        "supporting_facts": [["Milhouse", 1], ["Richard Nixon", 0]],
        "context": [[page["title"], page["sentences"]] for page in PAGES if "sentences" in page],
    } | changes


def write_lines(path: Path, records: list[Any]) -> None:
    content = "".join(f"{json.dumps(record)}\n" for record in records).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Two splits, with an id that is missing, and a corpus."""
    data = tmp_path / "hotpotqa"
    data.mkdir()
    write_lines(data / "corpus.jsonl.gz", PAGES)
    write_lines(data / "train.jsonl.gz", [question(0), question(1)])
    write_lines(data / "dev.jsonl", [question(2), question(3, _id=None, type="comparison", answer="yes")])
    return data
