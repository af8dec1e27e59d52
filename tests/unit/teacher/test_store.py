"""What is stored is read back to the bit, or is an error: no damage to a file changes a value in silence."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from spanwise.errors import SignalError
from spanwise.teacher import store
from spanwise.teacher.store import ShardWriter, SignalStore, publish, sweep


def make_row(positions: int, seed: int, id_type: str = "<u2") -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    counts = random.integers(1, 5, positions).astype("u1")
    entries = int(counts.sum())
    return {
        "counts": counts,
        "tail_log_mass": random.normal(size=positions).astype("<f2"),
        "entropy": random.normal(size=positions).astype("<f2"),
        "ids": random.integers(0, np.iinfo(id_type).max, entries, endpoint=True).astype(id_type),
        "log_probs": random.normal(size=entries).astype("<f2"),
    }


def make_rows(count: int, id_type: str = "<u2") -> dict[bytes, dict[str, np.ndarray]]:
    return {bytes([number]) * 16: make_row(1 + number % 4, number, id_type) for number in range(count)}


def write(folder: Path, rows: dict[bytes, dict[str, np.ndarray]]) -> Path:
    """Writes the rows as one shard; which one."""
    before = set(folder.glob("*.safetensors"))
    writer = ShardWriter(folder)
    for key, row in rows.items():
        writer.add(key, row)
    writer.flush()
    (path,) = set(folder.glob("*.safetensors")) - before
    return path


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype and first[name].tobytes() == second[name].tobytes() for name in first
    )


@pytest.mark.parametrize("id_type", ["<u2", "<u4"])
def test_rows_come_back_to_the_bit(id_type, tmp_path) -> None:
    rows = make_rows(7, id_type)
    first = dict(list(rows.items())[:3])
    write(tmp_path, first)
    write(tmp_path, {key: row for key, row in rows.items() if key not in first})
    found = SignalStore(tmp_path)
    assert len(found) == 7
    assert all(key in found and same(found.row(key), row) for key, row in rows.items())
    assert b"\xff" * 16 not in found
    assert found.check() == []


def test_values_that_are_not_finite_come_back_too(tmp_path) -> None:
    row = make_row(3, 0)
    row["tail_log_mass"][:] = [-np.inf, 0, 65504]
    write(tmp_path, {b"k" * 16: row})
    assert SignalStore(tmp_path).row(b"k" * 16)["tail_log_mass"].tolist() == [-np.inf, 0, 65504]


def test_a_row_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path) -> None:
    write(tmp_path, make_rows(2))
    with pytest.raises(SignalError, match=r"holds no signals for the row 6b6b.* 2 others.*`spanwise cache` adds") as e:
        SignalStore(tmp_path).row(b"k" * 16)
    assert str(e.value).startswith(f"{tmp_path}: ")


def test_an_empty_folder_is_an_empty_store(tmp_path) -> None:
    ShardWriter(tmp_path).flush()
    assert list(tmp_path.iterdir()) == []
    found = SignalStore(tmp_path)
    assert (len(found), found.check(), found.summary()) == (0, [], {"rows": 0, "positions": 0})


def test_the_summary_counts_what_is_there(tmp_path) -> None:
    row = make_row(2, 0) | {
        "counts": np.array([1, 3], dtype="u1"),
        "tail_log_mass": np.log(np.array([0.5, 0.25])).astype("<f2"),
        "entropy": np.array([1, 2], dtype="<f2"),
        "ids": np.arange(4, dtype="<u2"),
        "log_probs": np.zeros(4, dtype="<f2"),
    }
    path = write(tmp_path, {b"k" * 16: row})
    found = SignalStore(tmp_path).summary()
    assert found.pop("covered_mass") == pytest.approx(0.625, rel=1e-3)
    assert found == {"rows": 1, "positions": 2, "bytes": path.stat().st_size / 2, "entries": 2, "entropy": 1.5}


def test_a_row_that_two_processes_wrote_is_one_row(tmp_path) -> None:
    rows = make_rows(3)
    for _ in range(2):
        write(tmp_path, rows)
    found = SignalStore(tmp_path)
    assert len(found) == 3
    assert all(same(found.row(key), row) for key, row in rows.items())
    assert found.summary()["rows"] == 3
    assert found.summary()["positions"] == sum(len(row["counts"]) for row in rows.values())


def test_shards_are_written_when_there_is_enough_or_it_is_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(store, "SHARD_POSITIONS", 4)
    writer = ShardWriter(tmp_path)
    files = []
    for number in range(5):
        writer.add(bytes([number]) * 16, make_row(2, number))
        files.append(len(list(tmp_path.iterdir())))
    assert files == [0, 1, 1, 2, 2]
    monkeypatch.setattr(store, "SHARD_SECONDS", -1.0)
    writer.add(b"k" * 16, make_row(1, 9))
    assert len(SignalStore(tmp_path)) == 6
    writer.flush()
    assert len(list(tmp_path.iterdir())) == 3


def outcome(folder: Path, rows: dict[bytes, dict[str, np.ndarray]]) -> str:
    """What a reader of all rows meets: an error, the same values, or others."""
    try:
        found = SignalStore(folder)
        whole = all(same(found.row(key), row) for key, row in rows.items())
    except SignalError as error:
        named = str(next(folder.glob("*.safetensors"))), "holds no signals for the row"
        return "error" if any(name in str(error) for name in named) else f"an error without a name: {error}"
    return "same" if whole and found.check() == [] else "other values"


def test_a_flipped_bit_anywhere_is_an_error_or_changes_nothing(tmp_path) -> None:
    rows = make_rows(3)
    path = write(tmp_path, rows)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    outcomes = {}
    for place in range(len(whole)):
        for bit in range(8) if place < header else (0, 7):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            outcomes[place, bit] = outcome(tmp_path, rows)
    assert {place: found for place, found in outcomes.items() if found not in ("same", "error")} == {}
    assert all(found == "error" for (place, _), found in outcomes.items() if place >= header)
    assert sum(found == "error" for found in outcomes.values()) > 0.9 * len(outcomes)
    path.write_bytes(whole)
    assert outcome(tmp_path, rows) == "same"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"log_probs":{"dtype":"F16"', '"log_probs":{"dtype":"I16"'),
        ('"log_probs":{"dtype":"F16"', '"log_probs":{"dtype":"U16"'),
        ('"ids":{"dtype":"U16"', '"ids":{"dtype":"I16"'),
        ('"ids":{"dtype":"U16"', '"ids":{"dtype":"F16"'),
        ('"counts":{"dtype":"U8"', '"counts":{"dtype":"I8"'),
        ('"entropy":{"dtype":"F16"', '"entropy":{"dtype":"U16"'),
        ('"positions":{"dtype":"I64"', '"positions":{"dtype":"U64"'),
        ('"positions":{"dtype":"I64"', '"positions":{"dtype":"F64"'),
        ('"checksums":{"dtype":"I64"', '"checksums":{"dtype":"F64"'),
        ('"keys":{"dtype":"U8"', '"keys":{"dtype":"I8"'),
        ('"keys":{"dtype":"U8","shape":[3,16]', '"keys":{"dtype":"U8","shape":[6,8] '),
        ('"ids":', '"idz":'),
        ('"log_probs":', '"log_prods":'),
        ('"keys":', '"kays":'),
        ('"table_checksum":', '"table_checksun":'),
    ],
)
def test_another_word_in_the_header_is_an_error(was, becomes, tmp_path) -> None:
    rows = make_rows(3)
    path = write(tmp_path, rows)
    whole = path.read_bytes()
    if was not in whole.decode("latin-1") or len(was) != len(becomes):
        pytest.fail(f"{was} is not in {whole[:900]!r}, or {becomes} is longer")
    path.write_bytes(whole.replace(was.encode(), becomes.encode(), 1))
    assert outcome(tmp_path, rows) == "error"


def test_a_file_that_is_cut_anywhere_is_an_error_that_says_what_to_do(tmp_path) -> None:
    path = write(tmp_path, make_rows(3))
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 13), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(
            SignalError, match=r"damaged: .*; remove this file, `spanwise cache` then computes"
        ) as error:
            SignalStore(tmp_path)
        assert str(error.value).startswith(f"{path}: ")
    path.write_bytes(whole + b"\0")
    with pytest.raises(SignalError, match="damaged"):
        SignalStore(tmp_path)


def test_damage_is_found_in_its_row_and_others_can_be_read(tmp_path) -> None:
    rows = make_rows(3)
    path = write(tmp_path, rows)
    content = bytearray(path.read_bytes())
    content[content.index(rows[b"\2" * 16]["log_probs"].tobytes())] ^= 1
    path.write_bytes(content)
    found = SignalStore(tmp_path)
    assert same(found.row(b"\0" * 16), rows[b"\0" * 16])
    with pytest.raises(SignalError, match=f"the row {'02' * 16} does not agree with its checksum"):
        found.row(b"\2" * 16)
    (fault,) = found.check()
    assert fault.startswith(f"{path}: damaged: the row {'02' * 16}")


def test_a_shard_of_another_program_is_an_error(tmp_path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(SignalError, match=r"model.safetensors: damaged"):
        SignalStore(tmp_path)


def test_a_shard_can_be_read_without_spanwise(tmp_path) -> None:
    rows = make_rows(2)
    arrays = load_file(write(tmp_path, rows))
    assert arrays["keys"].tobytes() == b"".join(rows)
    last = slice(*arrays["positions"][1:3])
    assert arrays["counts"][last].tolist() == rows[b"\1" * 16]["counts"].tolist()


def test_a_file_is_published_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    publish(tmp_path / "a", b"first")
    monkeypatch.setattr(store.os, "fsync", lambda _: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        publish(tmp_path / "a", b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"first"


def test_only_what_no_one_writes_any_more_is_swept(tmp_path) -> None:
    write(tmp_path, make_rows(1))
    for name, age in ((".old.partial", 7200), (".new.partial", 60)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    (tmp_path / "identity.json").write_text(json.dumps({}))
    sweep(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert ".new.partial" in names
    assert ".old.partial" not in names
    assert len(names) == 3
    assert len(SignalStore(tmp_path)) == 1
