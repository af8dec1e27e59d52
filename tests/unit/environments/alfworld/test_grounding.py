"""Translations that are kept: the same game from the cache, and from nothing but the game where the cache is no use."""

import os
import re
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fast_downward
import pytest

from spanwise.config import GeneratorConfig
from spanwise.environments.alfworld import grounding
from spanwise.environments.alfworld.generate import GeneratedGames
from spanwise.environments.alfworld.grounding import ground

GAME = GeneratedGames(GeneratorConfig(seed=4, train=2, size="small")).game("generated/train/0", verify=False)
TEXTS = GAME["pddl_domain"], GAME["pddl_problem"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "spanwise" / grounding.FOLDER


@pytest.fixture
def translated(monkeypatch) -> list[str]:
    """The problems that were translated."""
    problems = []
    translate = fast_downward.pddl2sas
    monkeypatch.setattr(
        fast_downward, "pddl2sas", lambda domain, problem: problems.append(problem) or translate(domain, problem)
    )
    return problems


def test_what_is_kept_is_what_was_translated(folder, translated) -> None:
    first, second = ground(*TEXTS), ground(*TEXTS)
    assert second == first
    assert len(translated) == 1
    (kept,) = folder.iterdir()
    assert kept.stat().st_size < len(first.sas) / 5
    assert {"receptacletype", "inreceptacle"} <= {name for name, _ in first.initial}
    assert "agent1" in first.types
    assert dict(first.supertypes).keys() >= set(first.types.values())
    written = re.findall(r"^\s*\(:action\s+(\w+)", TEXTS[0].lower(), re.MULTILINE)  # others are comments
    assert set(first.parameters) == set(written)


def test_whatever_a_translation_depends_on_makes_it_another(folder, translated, monkeypatch) -> None:
    first = ground(*TEXTS)
    assert ground(TEXTS[0], TEXTS[1] + "\n") == first  # a line's end says nothing, but who knows
    assert ground(TEXTS[0] + "\n", TEXTS[1]) == first
    monkeypatch.setattr(grounding, "version", lambda name: "another")
    assert ground(*TEXTS) == first
    monkeypatch.setattr(grounding, "_this_module", lambda: "another")
    assert ground(*TEXTS) == first
    assert len(translated) == len(list(folder.iterdir())) == 5


def _emptied(data: bytes) -> bytes:
    return zlib.compress(b"{}")


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"?" + data, _emptied]
)
def test_what_is_damaged_is_translated_and_kept_again(damage, folder, translated) -> None:
    first = ground(*TEXTS)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert ground(*TEXTS) == first
    assert len(translated) == 2
    assert kept.read_bytes() == whole


def test_no_place_to_keep_it_costs_time_alone(tmp_path, monkeypatch, translated) -> None:
    (tmp_path / "spanwise").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ground(*TEXTS) == ground(*TEXTS)
    assert len(translated) == 2


def test_the_games_that_were_not_played_for_long_go_first(folder) -> None:
    folder.mkdir(parents=True)
    for age, name in enumerate(("new", "used", "old")):
        path = folder / f"{name}.json.z"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    grounding._prune(folder, 200)
    assert sorted(path.name for path in folder.iterdir()) == ["new.json.z", "used.json.z"]
    grounding._prune(folder, 199)
    assert [path.name for path in folder.iterdir()] == ["new.json.z"]


def test_reading_marks_a_game_as_used(folder, translated) -> None:
    ground(*TEXTS)
    (kept,) = folder.iterdir()
    os.utime(kept, (1000, 1000))
    ground(*TEXTS)
    assert kept.stat().st_mtime > 1000


def test_what_is_written_is_pruned_now_and_then(folder, monkeypatch) -> None:
    monkeypatch.setattr(grounding, "PRUNE_EVERY", 1)
    monkeypatch.setattr(grounding, "MAX_BYTES", 0)
    ground(*TEXTS)
    assert list(folder.iterdir()) == []


def test_threads_translate_one_after_the_other(folder) -> None:
    arguments, stdout = sys.argv, sys.stdout
    problems = [TEXTS[1] + "\n" * number for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda problem: ground(TEXTS[0], problem), problems))
    assert all(one == found[0] for one in found)
    assert len(list(folder.iterdir())) == 6
    assert sys.argv is arguments
    assert sys.stdout is stdout


def test_a_user_without_a_home(monkeypatch, translated) -> None:
    def nowhere(name: str) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(grounding, "cache_folder", nowhere)
    assert ground(*TEXTS).sas
    assert len(translated) == 1
