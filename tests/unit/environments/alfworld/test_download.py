"""Downloads from a server on this machine that can stop, refuse, and send damaged archives."""

import io
import socket
import stat
import zipfile
from pathlib import Path

import pytest

from spanwise.environments import fetch
from spanwise.environments.alfworld import download
from spanwise.environments.alfworld.download import download_alfworld
from spanwise.errors import TaskDataError


def archive(*names: str, content: bytes = b"{}" * 1000, **more: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, content)
        for name, other in more.items():
            file.writestr(name, other)
    return packed.getvalue()


FOLDERS = [f"json_2.1.1/{split}/pick-Mug/trial_{split}" for split in ("train", "valid_seen", "valid_unseen")]
GAMES = archive(*(f"{folder}/game.tw-pddl" for folder in FOLDERS))
ANNOTATIONS = archive("json_2.1.1/", *(f"{folder}/traj_data.json" for folder in FOLDERS))


@pytest.fixture
def urls(server) -> list[str]:
    server.files = {"/games.zip": GAMES, "/annotations.zip": ANNOTATIONS}
    return [server.url("games.zip"), server.url("annotations.zip")]


def test_the_release_is_there_and_nothing_else(server, urls, tmp_path):
    told: list[tuple[str, int, int | None]] = []
    destination = tmp_path / "new" / "folder"
    release = download_alfworld(destination, urls, lambda *progress: told.append(progress))
    assert release == destination / "json_2.1.1"
    files = sorted(str(path.relative_to(destination)) for path in destination.rglob("*") if path.is_file())
    assert files == sorted(f"{folder}/{name}" for folder in FOLDERS for name in ("game.tw-pddl", "traj_data.json"))
    assert (destination / FOLDERS[0] / "game.tw-pddl").read_bytes() == b"{}" * 1000
    assert list(destination.iterdir()) == [release]
    assert told[0] == ("games.zip", 0, len(GAMES))
    assert told[-1] == ("annotations.zip", len(ANNOTATIONS), len(ANNOTATIONS))


def test_what_is_there_is_not_fetched_again(server, urls, tmp_path):
    download_alfworld(tmp_path, urls)
    server.asked.clear()
    assert download_alfworld(tmp_path, urls) == tmp_path / "json_2.1.1"
    assert server.asked == []


def test_a_broken_connection_is_taken_up_where_it_stopped(server, urls, tmp_path):
    server.breaks = {"/games.zip": [700, 0, 200]}
    download_alfworld(tmp_path, urls)
    ranges = [wanted for path, wanted in server.asked if path == "/games.zip"]
    assert ranges == [None, "bytes=700-", "bytes=700-", "bytes=900-"]
    assert (tmp_path / FOLDERS[0] / "game.tw-pddl").exists()


def test_a_later_call_takes_up_what_an_earlier_one_left(server, urls, tmp_path):
    server.breaks = {"/games.zip": [700] + [0] * 10}
    with pytest.raises(
        TaskDataError, match=r"games.zip: the connection broke .*; 700 bytes are kept in .*games.zip.part"
    ):
        download_alfworld(tmp_path, urls)
    assert not (tmp_path / "json_2.1.1").exists()
    server.breaks = {}
    server.asked.clear()
    download_alfworld(tmp_path, urls)
    assert server.asked == [("/games.zip", "bytes=700-"), ("/annotations.zip", None)]


def test_a_server_without_ranges_sends_it_all_again(server, urls, tmp_path):
    server.ranges = False
    server.breaks = {"/games.zip": [700]}
    download_alfworld(tmp_path, urls)
    assert (tmp_path / FOLDERS[0] / "game.tw-pddl").read_bytes() == b"{}" * 1000


def test_a_part_that_is_already_whole_is_used(server, urls, tmp_path):
    (tmp_path / ".download").mkdir()
    (tmp_path / ".download/games.zip.part").write_bytes(GAMES)
    download_alfworld(tmp_path, urls)
    assert server.asked[0] == ("/games.zip", f"bytes={len(GAMES)}-")


class TestFailures:
    def check(self, destination: Path, urls: list[str], message: str) -> None:
        with pytest.raises(TaskDataError, match=message):
            download_alfworld(destination, urls)
        assert not (destination / "json_2.1.1").exists()

    def test_no_such_archive(self, server, urls, tmp_path):
        self.check(tmp_path, [server.url("none.zip")], r"none.zip: the server answers 404 Not Found")

    def test_no_server(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.check(tmp_path, [f"http://127.0.0.1:{port}/a.zip"], r"a.zip: cannot be reached: .*check the network")

    @pytest.mark.parametrize("url", ["a.zip", "ftp://server/a.zip", "https://server", "http://127.0.0.1:1/a b.zip"])
    def test_no_address(self, tmp_path, url):
        self.check(tmp_path, [url], f"{url}: not an address to download from")

    @pytest.mark.parametrize("damage", ["cut", "changed", "html"])
    def test_damaged_archive(self, server, urls, tmp_path, damage):
        half = len(GAMES) // 2
        server.files["/games.zip"] = {
            "cut": GAMES[:half],
            "changed": GAMES.replace(b"{}{}{}{}", b"{}{}{}[]", 1),
            "html": b"<html>sign in</html>",
        }[damage]
        self.check(tmp_path, urls, r"games.zip: found [\d,]+ bytes that are no intact zip archive .* fetch it again")
        server.files["/games.zip"] = GAMES
        download_alfworld(tmp_path, urls)  # the damaged one was not kept

    @pytest.mark.parametrize(
        "name", ["../evil.txt", "/evil.txt", "json_2.1.1/../../evil.txt", "..\\evil.txt", "C:/evil"]
    )
    def test_archive_that_leaves_its_folder(self, server, urls, tmp_path, name):
        server.files["/games.zip"] = archive(name)
        destination = tmp_path / "a/b"
        self.check(destination, urls, "outside its folder; nothing was unpacked")
        assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]

    def test_archive_with_a_link(self, server, urls, tmp_path):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            link = zipfile.ZipInfo("json_2.1.1/train")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            file.writestr(link, "/etc")
        server.files["/games.zip"] = packed.getvalue()
        self.check(tmp_path, urls, "holds 'json_2.1.1/train', outside its folder")

    def test_archive_of_something_else(self, server, urls, tmp_path):
        server.files["/games.zip"] = server.files["/annotations.zip"] = archive("README.md")
        self.check(tmp_path, urls, r"the archives lack the folders json_2.1.1/\{train,.*; nothing was unpacked")

    def test_one_archive_of_two(self, server, urls, tmp_path):
        self.check(tmp_path, urls[:1], r"the archives lack json_2.1.1/train/<task>/<trial>/traj_data.json")

    def test_release_that_is_not_whole(self, server, urls, tmp_path):
        (tmp_path / "json_2.1.1/train").mkdir(parents=True)
        with pytest.raises(TaskDataError, match=r"json_2.1.1 is there but lacks .*; move it away"):
            download_alfworld(tmp_path, urls)
        assert server.asked == []

    def test_no_room_for_the_archive(self, server, urls, tmp_path, monkeypatch):
        monkeypatch.setattr(fetch, "free", lambda folder: 100)
        self.check(tmp_path, urls, r"games.zip needs [\d.]+ MB more, and 0.0 MB are free on its disk")

    def test_no_room_for_the_files(self, server, urls, tmp_path, monkeypatch):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("json_2.1.1/train/a/b/game.tw-pddl", b" " * 100_000)
        server.files["/games.zip"] = packed.getvalue()
        monkeypatch.setattr(download, "free", lambda folder: 50_000)
        monkeypatch.setattr(fetch, "free", lambda folder: 50_000)
        self.check(tmp_path, urls, r"games.zip needs 0.1 MB more, and 0.1 MB are free on its disk")

    def test_a_disk_that_fills_up_under_way(self, server, urls, tmp_path, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(download.shutil, "copyfileobj", full)
        self.check(tmp_path, urls, r"cannot be written: No space left on device; [\d,]+ MB are free. .*is kept in")
        monkeypatch.undo()
        server.asked.clear()
        download_alfworld(tmp_path, urls)
        assert server.asked == []  # the archives were kept

    def test_a_folder_that_cannot_be_made(self, urls, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(TaskDataError, match="cannot be written: Not a directory"):
            download_alfworld(tmp_path / "file", urls)
