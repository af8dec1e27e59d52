"""How far a suite is, and how long the rest may take."""

import json

import pytest

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError
from spanwise.run_directory import RunDirectory
from spanwise.suite.cells import ERRORS
from spanwise.suite.config import Cell, Suite, cell_folder
from spanwise.suite.status import CellStatus, in_words, read_status, seconds_left, summary


def status(state, size="small", seconds=0.0, data="all", seed=0):
    return CellStatus(Cell("sad", size, seed, data), state, seconds, None)


def test_time_left_goes_by_cells_of_the_same_size_and_data() -> None:
    done = [status("done", "small", 100.0), status("done", "small", 20.0, 10), status("done", "large", 400.0)]
    assert seconds_left([*done, status("left", "small", seed=1)], 1) == 100
    assert seconds_left([*done, status("left", "small", data=10, seed=1)], 1) == 20
    assert seconds_left([*done, status("left", "large", data=10, seed=1)], 1) == 400
    assert seconds_left([*done, status("running", "small", 40.0, seed=1)], 1) == 60
    assert seconds_left([*done, status("failed", "small", 40.0, seed=1)], 1) == 100
    assert seconds_left([*done, *[status("left", "small", seed=seed) for seed in range(1, 5)]], 2) == 200
    assert seconds_left([*done, status("left", "large", seed=1)], 4) == 400, "one cell is not divided"
    assert seconds_left(done, 2) == 0
    assert seconds_left([status("left")], 2) is None


def test_time_in_words() -> None:
    words = [in_words(seconds) for seconds in (4.4, 89, 91, 3570, 3600, 12000, 86400 * 2 + 3600 * 4)]
    assert words == ["4 s", "89 s", "2 min", "1 h 0 min", "1 h 0 min", "3 h 20 min", "2 d 4 h"]


@pytest.fixture
def suite():
    return Suite.model_validate(
        {
            "name": "s",
            "recipe": {"name": "s", "environment": {"name": "toy"}},
            "methods": {"sad": {"objective": {"method": "sad"}}},
            "sizes": {"small": {}},
            "seeds": [0, 1, 2, 3, 4],
            "splits": {"seen": {}},
            "main_size": "small",
            "baseline": "sad",
        }
    )


def test_states_are_read_from_the_cells(suite, tmp_path) -> None:
    folders = [cell_folder(tmp_path, cell) for cell in suite.cells]
    for folder, names in zip(folders[:3], (["train", "evaluate.seen"], ["train"], ["train"]), strict=False):
        with RunDirectory.open(folder, Recipe(name="s")) as run:
            for name in names:
                with run.stage(name, {}):
                    pass
    (folders[2] / ERRORS).write_text("ModelError: no such folder\n\nTraceback ...")
    with RunDirectory.open(folders[3], Recipe(name="s")) as run, run.stage("train", {}):
        found = read_status(suite, tmp_path)
    assert [one.state for one in found] == ["done", "interrupted", "failed", "running", "left"]
    assert found[2].error == "ModelError: no such folder"
    assert summary(found, 2).startswith("5 cells: 1 done, 1 running, 1 interrupted, 1 failed, 1 left; about ")


def test_a_damaged_manifest_is_named(suite, tmp_path) -> None:
    folder = cell_folder(tmp_path, suite.cells[0])
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps([]))
    with pytest.raises(RunDirectoryError, match=r"sad/small/0/manifest.json: not a manifest"):
        read_status(suite, tmp_path)
