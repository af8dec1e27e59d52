import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from spanwise.config import Recipe
from spanwise.errors import RunDirectoryError
from spanwise.run_directory import RunDirectory, write_atomically

RECIPE = Recipe(name="toy")


def test_a_done_stage_is_not_done_again(tmp_path: Path) -> None:
    calls = []
    for _ in range(2):
        with RunDirectory.open(tmp_path / "run", RECIPE) as run, run.stage("collect", {"limit": 1}) as needed:
            if needed:
                calls.append(1)
    assert calls == [1]
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["stages"]["collect"]["status"] == "done"
    assert manifest["recipe"] == RECIPE.model_dump(mode="json")
    assert manifest["versions"]["torch"]


def test_an_interrupted_stage_is_called_again(tmp_path: Path) -> None:
    with RunDirectory.open(tmp_path, RECIPE) as run:
        with pytest.raises(KeyboardInterrupt), run.stage("collect", {}):
            raise KeyboardInterrupt
        assert run.manifest["stages"]["collect"]["status"] == "running"
    with RunDirectory.open(tmp_path, RECIPE) as run, run.stage("collect", {}) as needed:
        assert needed


def test_stages_may_overlap(tmp_path: Path) -> None:
    with RunDirectory.open(tmp_path, RECIPE) as run:
        first, second = run.stage("first", {}), run.stage("second", {})
        assert first.__enter__()
        assert second.__enter__()
        first.__exit__(None, None, None)
        status = {
            name: one["status"] for name, one in json.loads((tmp_path / "manifest.json").read_text())["stages"].items()
        }
        assert status == {"first": "done", "second": "running"}
        second.__exit__(None, None, None)
        with run.stage("second", {}) as needed:
            assert not needed


def test_a_stage_with_other_inputs_is_refused_and_others_are_not(tmp_path: Path) -> None:
    with RunDirectory.open(tmp_path, RECIPE) as run:
        with run.stage("train", {"epochs": 1}):
            pass
        with pytest.raises(RunDirectoryError, match=r"other settings \(epochs was 1, is 2\); choose another"):  # noqa: SIM117
            with run.stage("train", {"epochs": 2}):
                pass
        with run.stage("evaluate", {"limit": 3}) as needed:
            assert needed


def test_another_recipe_or_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with RunDirectory.open(tmp_path / "run", RECIPE):
        pass
    with pytest.raises(RunDirectoryError, match="made by the recipe 'toy', not by 'demo'"):  # noqa: SIM117
        with RunDirectory.open(tmp_path / "run", Recipe(name="demo")):
            pass
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday/photo.jpg").write_bytes(b"")
    with pytest.raises(RunDirectoryError, match=r"holds files but no manifest.json \(for example 'photo.jpg'\)"):  # noqa: SIM117
        with RunDirectory.open(tmp_path / "holiday", RECIPE):
            pass


def test_two_processes_cannot_work_in_one_directory(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from spanwise.config import Recipe; from spanwise.run_directory import RunDirectory\n"
        "with RunDirectory.open(pathlib.Path(sys.argv[1]), Recipe(name='toy')): print('in')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with RunDirectory.open(tmp_path, RECIPE):
        other = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert "another spanwise process is working in it" in other.stderr
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "in\n"


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"schema_version": 1')
    with pytest.raises(RunDirectoryError, match=r"manifest.json: not a manifest"):  # noqa: SIM117
        with RunDirectory.open(tmp_path, RECIPE):
            pass


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old")

    def full(self: Path, text: str, **_: object) -> int:
        with self.open("w") as file:
            file.write(text[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunDirectoryError, match=r"file.json: cannot be written: .*No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
)
def test_a_full_disk_stops_a_stage_with_a_line(tmp_path: Path, error: Exception) -> None:
    with RunDirectory.open(tmp_path, RECIPE) as run:
        with pytest.raises(RunDirectoryError, match="the disk is full, so the stage 'train' stopped"):  # noqa: SIM117
            with run.stage("train", {}):
                raise error
        with run.stage("train", {}) as needed:
            assert needed


def test_other_faults_of_a_stage_keep_their_type(tmp_path: Path) -> None:
    with RunDirectory.open(tmp_path, RECIPE) as run, pytest.raises(PermissionError), run.stage("train", {}):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match=r"file/report\.md: cannot be written"):
        write_atomically(tmp_path / "file" / "report.md", "text")
