"""What a teacher said is found by content, whatever became of the data set, the writer or the files; or is an error."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from spanwise.config import SignalConfig
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.errors import SignalError
from spanwise.teacher import cache, store
from spanwise.teacher.cache import (
    CachedTeacher,
    Identity,
    check_identity,
    fingerprint_folder,
    join_rows,
    verify_signals,
    write_signals,
)
from spanwise.teacher.entropy import position_entropies, summed_entropies
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import SparseSignal, sparse_signal
from spanwise.teacher.store import SignalStore
from spanwise.training.batches import collate, row_key
from spanwise.types import SpanKind

V = 29
IDENTITY = Identity("a teacher", "a tokenizer", V, "fp32", SignalConfig(mass=0.9, most=20))


class CountingTeacher(OnlineTeacher):
    """Remembers the rows that it was asked about."""

    def __init__(self, seed: int = 0, scale: float = 4.0) -> None:
        torch.manual_seed(seed)
        sizes = {"vocab_size": V + 3, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
        model = LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=2))
        with torch.no_grad():
            model.lm_head.weight.mul_(scale / 0.02 / 16)
        super().__init__(model, V)
        self.asked: list[bytes] = []

    def signal(self, batch: Mapping[str, Tensor], positions: Tensor):
        self.asked += [key.tobytes() for key in batch["keys"].numpy()]
        return super().signal(batch, positions)


def make_rows(count: int) -> list[TokenizedTrajectory]:
    rows = []
    for number in range(count):
        generator = np.random.default_rng(number)
        ids = generator.integers(0, V, 8 + number % 5)
        kind = generator.integers(0, 3, len(ids) - 1).astype(np.int8)
        kind[3] = SpanKind.REASON
        step = np.zeros(len(kind), dtype=np.int32)
        rows.append(TokenizedTrajectory(f"row {number}", ids[:-1], ids[1:], kind, step, step > 0))
    return rows


def ask(teacher, rows: list[TokenizedTrajectory], packed: bool = False):
    batch = collate(rows, packed)
    return teacher.signal(batch, batch["kind"] != SpanKind.CONTEXT)


def parts(found: SparseSignal) -> tuple[Tensor, ...]:
    return (found.ids, found.log_probs, found.tail_log_mass, found.entropy)


def contents(folder: Path) -> dict[str, list[bytes]]:
    found = SignalStore(folder)
    return {row.id: [part.tobytes() for part in found.row(row_key(row)).values()] for row in make_rows(8)}


@pytest.fixture
def written(tmp_path) -> Path:
    write_signals(tmp_path / "signals", IDENTITY, CountingTeacher(), make_rows(8), batch_tokens=30)
    return tmp_path / "signals"


@pytest.mark.parametrize("settings", [SignalConfig(mass=0.9, most=20), SignalConfig(mass=1.0, most=V), SignalConfig()])
def test_what_is_read_is_what_was_said_up_to_fp16(settings, tmp_path) -> None:
    rows, teacher = make_rows(6), CountingTeacher()
    write_signals(tmp_path, replace(IDENTITY, settings=settings), teacher, rows, batch_tokens=30)
    found, dense = ask(CachedTeacher(tmp_path), rows), ask(teacher, rows)
    expected = sparse_signal(dense.at(torch.arange(len(dense.entropy))), settings.most, settings.mass)
    assert not found.sampled
    assert torch.equal(found.ids, expected.ids)
    assert torch.equal(found.top, expected.top)
    torch.testing.assert_close(found.log_probs, expected.log_probs, rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(found.tail_log_mass.exp(), expected.tail_log_mass.exp(), rtol=5e-3, atol=1e-3)
    torch.testing.assert_close(found.entropy, expected.entropy, rtol=1e-3, atol=1e-3)
    masses = torch.cat([found.log_probs, found.tail_log_mass[:, None]], dim=-1).exp().sum(-1)
    torch.testing.assert_close(masses, torch.ones(len(masses)))
    assert settings.mass != 0.9 or len({int(row.isfinite().sum()) for row in found.log_probs}) > 1


@pytest.mark.parametrize("vocabulary", [2**16, 2**16 + 1])
def test_the_last_token_of_a_large_vocabulary_is_kept(vocabulary, tmp_path) -> None:
    class Certain:
        def signal(self, batch: Mapping[str, Tensor], positions: Tensor):
            return self

        def at(self, chosen: Tensor):
            logits = torch.zeros(len(chosen), vocabulary)
            logits[:, -1] = 30
            logits[:, 256] = 20
            from spanwise.teacher.signal import dense_signal

            return dense_signal(logits)

    rows = make_rows(2)
    settings = SignalConfig(mass=1.0, most=2)
    write_signals(tmp_path, replace(IDENTITY, vocabulary=vocabulary, settings=settings), Certain(), rows)
    assert SignalStore(tmp_path).row(row_key(rows[0]))["ids"].dtype == ("<u2" if vocabulary == 2**16 else "<u4")
    found = ask(CachedTeacher(tmp_path), rows)
    assert (found.ids == torch.tensor([vocabulary - 1, 256])).all()


def test_drawn_signals_depend_on_the_row_and_the_seed_alone(tmp_path) -> None:
    rows, teacher = make_rows(6), CountingTeacher()
    drawn = {}
    for name, order, seed, tokens in (("a", 1, 0, 30), ("b", -1, 0, 1), ("c", 1, 1, 30)):
        settings = SignalConfig(variant="sampled", draws=12, seed=seed)
        write_signals(tmp_path / name, replace(IDENTITY, settings=settings), teacher, rows[::order], tokens)
        drawn[name] = ask(CachedTeacher(tmp_path / name, sampled=True), rows)
    assert drawn["a"].sampled
    assert torch.equal(drawn["a"].ids, drawn["b"].ids)
    torch.testing.assert_close(drawn["a"].log_probs, drawn["b"].log_probs)
    assert drawn["a"].ids.shape != drawn["c"].ids.shape or not torch.equal(drawn["a"].ids, drawn["c"].ids)
    torch.testing.assert_close(drawn["a"].log_probs.exp().sum(-1), torch.ones(len(drawn["a"].entropy)))
    assert (drawn["a"].tail_log_mass == -torch.inf).all()
    assert verify_signals(tmp_path / "a", teacher, rows) == []
    assert len(verify_signals(tmp_path / "a", CountingTeacher(seed=1, scale=1.0), rows)) == len(rows)


def test_shuffled_filtered_packed_and_padded_batches_get_the_same_signals(written) -> None:
    rows, teacher = make_rows(8), CachedTeacher(written)
    alone = {row.id: parts(ask(teacher, [row])) for row in rows}
    for seed in range(6):
        some = random.Random(seed).sample(rows, 1 + seed)
        for packed in (False, True):
            found = ask(teacher, some, packed)
            borders = np.cumsum([0, *(row.supervised for row in some)])
            assert len(found.entropy) == borders[-1]
            for row, start, end in zip(some, borders[:-1], borders[1:], strict=True):
                ids, log_probs, tail, entropy = alone[row.id]
                mine = found.at(torch.arange(start, end))
                width = ids.shape[1]
                assert torch.equal(mine.ids[:, :width], ids)
                assert (mine.log_probs[:, width:] == -torch.inf).all()
                torch.testing.assert_close(mine.log_probs[:, :width], log_probs)
                torch.testing.assert_close(mine.tail_log_mass, tail)
                assert torch.equal(mine.entropy, entropy)


def test_a_target_that_no_one_is_asked_about_is_no_part_of_the_key() -> None:
    row = make_rows(1)[0]
    last = int(np.flatnonzero(row.kind != SpanKind.CONTEXT)[-1])
    longer = TokenizedTrajectory(
        "longer",
        *(np.concatenate([part[: last + 1], [5, 6]]) for part in (row.input_ids, row.target_ids)),
        np.concatenate([row.kind[: last + 1], [0, 0]]),
        *2 * (np.zeros(last + 3),),
    )
    assert row_key(longer) == row_key(row)
    other_kinds = replace(row, kind=np.where(row.kind == 1, 2, np.where(row.kind == 2, 1, 0)).astype(np.int8))
    assert row_key(other_kinds) == row_key(row)  # who is asked does not hear of kinds


def changed(part: str, place: int) -> TokenizedTrajectory:
    row = make_rows(1)[0]
    array = getattr(row, part).copy()
    array[place] = array[place] == 0 if part == "kind" else (array[place] + 1) % V
    return replace(row, **{part: array})


@pytest.mark.parametrize(
    "row",
    [changed("input_ids", 0), changed("input_ids", 3), changed("kind", 0), changed("kind", 3), changed("kind", 1)],
)
def test_other_tokens_or_another_mask_are_not_found(row, written) -> None:
    with pytest.raises(SignalError, match=r"holds no signals for the row .*changed since .*`spanwise cache` adds what"):
        ask(CachedTeacher(written), [make_rows(2)[1], row])


def test_other_positions_than_those_that_were_kept_are_refused(written) -> None:
    batch = collate(make_rows(2))
    with pytest.raises(SignalError, match=r"holds \d+ positions for rows of which \d+ are asked for"):
        CachedTeacher(written).signal(batch, batch["valid"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": "another"}, r"another teacher: found a teacher, wanted another; .*use the teacher"),
        ({"tokenizer": "another"}, r"another tokenizer: found a tokenizer, wanted another"),
        ({"vocabulary": V + 1}, r"another vocabulary: found 29, wanted 30"),
        ({"precision": "bf16"}, r"another precision: found fp32, wanted bf16"),
        ({"settings": SignalConfig(mass=0.8, most=20)}, r"another settings: found .*0.9.*wanted .*0.8"),
    ],
)
def test_signals_of_another_teacher_or_setting_are_refused(change, message, written) -> None:
    other = replace(IDENTITY, **change)
    teacher = CountingTeacher()
    for use in (
        lambda: check_identity(written, other),
        lambda: write_signals(written, other, teacher, make_rows(9)),
    ):
        with pytest.raises(SignalError, match=message) as error:
            use()
        assert str(error.value).startswith(f"{written}: ")
    assert teacher.asked == []
    check_identity(written, replace(IDENTITY, teacher=None, precision=None))  # what is not known is not compared


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"teacher": 5}'])
def test_a_damaged_identity_is_an_error(content, written) -> None:
    (written / "identity.json").write_text(content)
    with pytest.raises(SignalError, match="spanwise cache"):
        check_identity(written, IDENTITY)


def test_a_folder_without_signals_says_how_to_make_them(tmp_path) -> None:
    with pytest.raises(SignalError, match=r"none: holds no teacher signals; `spanwise cache` makes them"):
        check_identity(tmp_path / "none", IDENTITY)


def test_a_models_fingerprint_is_its_weights_and_configuration(tmp_path) -> None:
    CountingTeacher(0).model.save_pretrained(tmp_path / "a")
    CountingTeacher(0).model.save_pretrained(tmp_path / "b")
    CountingTeacher(1).model.save_pretrained(tmp_path / "c")
    first = fingerprint_folder(tmp_path / "a")
    assert first == fingerprint_folder(tmp_path / "b") != fingerprint_folder(tmp_path / "c")
    config = json.loads((tmp_path / "b/config.json").read_text())
    (tmp_path / "b/config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.1}))
    assert fingerprint_folder(tmp_path / "b") != first
    (tmp_path / "a/model.safetensors").unlink()
    with pytest.raises(SignalError, match=r"a: expected a model folder with weights"):
        fingerprint_folder(tmp_path / "a")


def test_only_what_is_missing_is_asked_for(written) -> None:
    teacher, told = CountingTeacher(), []
    write_signals(written, IDENTITY, teacher, make_rows(8))
    assert teacher.asked == []
    more = make_rows(11)
    write_signals(written, IDENTITY, teacher, [*more, more[9]], progress=lambda *done: told.append(done))
    assert sorted(teacher.asked) == sorted(row_key(row) for row in more[8:])  # each once
    assert told[0] == (8, 12) or told[0] == (9, 12)
    assert told[-1] == (12, 12)


def test_an_interrupted_pass_keeps_what_it_had(tmp_path) -> None:
    rows = make_rows(8)

    class Interrupted(CountingTeacher):
        def signal(self, batch: Mapping[str, Tensor], positions: Tensor):
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            return super().signal(batch, positions)

    first = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        write_signals(tmp_path / "cut", IDENTITY, first, rows, batch_tokens=1)
    assert len(SignalStore(tmp_path / "cut")) == 3
    second = CountingTeacher()
    write_signals(tmp_path / "cut", IDENTITY, second, rows, batch_tokens=1)
    assert set(first.asked).isdisjoint(second.asked)
    assert len(second.asked) == 5
    write_signals(tmp_path / "whole", IDENTITY, CountingTeacher(), rows, batch_tokens=1)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def start(folder: Path, stop_at: int) -> subprocess.Popen[str]:
    """Another process that writes; it stops and waits where it would finish its so many-th file."""
    return subprocess.Popen(
        [sys.executable, __file__, str(folder), str(stop_at)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_pass_goes_on_where_it_was(tmp_path, monkeypatch) -> None:
    with start(tmp_path / "cut", stop_at=4) as process:  # the identity and two shards are whole, the third is not
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "cut").glob(".*.partial"))) == 1
    kept = SignalStore(tmp_path / "cut")
    assert len(kept) == 2

    teacher = CountingTeacher()
    write_signals(tmp_path / "cut", IDENTITY, teacher, make_rows(8), batch_tokens=1)
    assert len(teacher.asked) == 6
    assert not any(key in kept for key in teacher.asked)
    write_signals(tmp_path / "whole", IDENTITY, CountingTeacher(), make_rows(8), batch_tokens=1)
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")

    monkeypatch.setattr(store, "_ABANDONED", -1.0)
    write_signals(tmp_path / "cut", IDENTITY, teacher, make_rows(8))
    assert not list((tmp_path / "cut").glob(".*.partial"))
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_two_processes_may_write_at_once(tmp_path) -> None:
    processes = [start(tmp_path / "both", stop_at=0) for _ in range(2)]
    errors = [process.communicate(timeout=240)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    write_signals(tmp_path / "one", IDENTITY, CountingTeacher(), make_rows(8), batch_tokens=1)
    assert contents(tmp_path / "both") == contents(tmp_path / "one")
    found, alone = SignalStore(tmp_path / "both"), SignalStore(tmp_path / "one")
    assert found.check() == []
    for name in ("rows", "positions"):
        assert found.summary()[name] == alone.summary()[name]


def test_signals_that_are_right_verify(written) -> None:
    told = []
    assert verify_signals(written, CountingTeacher(), make_rows(8), progress=lambda *done: told.append(done)) == []
    assert told[-1] == (8, 8)
    assert verify_signals(written, CountingTeacher(), make_rows(8), packed=True) == []


def test_a_teacher_that_changed_is_found_out(written) -> None:
    teacher = CountingTeacher()
    with torch.no_grad():
        teacher.model.lm_head.weight[3] *= 3
    faults = verify_signals(written, teacher, make_rows(8))
    assert len(faults) >= 6
    assert "trajectory 'row 0': differs from the teacher by" in faults[0]
    position = int(faults[0].partition("at token ")[2].split()[0])
    assert make_rows(1)[0].kind[position] != SpanKind.CONTEXT


def test_a_fault_names_the_trajectory_and_where_it_is_worst(written, tmp_path, monkeypatch) -> None:
    row = make_rows(3)[2]
    place = row.supervised - 1
    stored = SignalStore(written).row(row_key(row))
    stored = {name: part.copy() for name, part in stored.items()}
    stored["entropy"][place] += 1
    writer = store.ShardWriter(tmp_path)
    writer.add(row_key(row), stored)
    (tmp_path / "identity.json").write_text((written / "identity.json").read_text())
    writer.flush()
    (fault,) = verify_signals(tmp_path, CountingTeacher(), [row])
    expected = int(np.flatnonzero(row.kind != SpanKind.CONTEXT)[place])
    assert fault.startswith("trajectory 'row 2': differs from the teacher by ")
    assert f"most (1) at token {expected} (step 0)" in fault
    monkeypatch.setattr(cache, "_CHUNK", 1)
    assert verify_signals(tmp_path, CountingTeacher(), [row]) == [fault]


def test_damage_and_absence_are_faults(written) -> None:
    (path,) = written.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    entropy = SignalStore(written).row(row_key(make_rows(1)[0]))["entropy"].tobytes()
    content[content.index(entropy)] ^= 4
    path.write_bytes(content)
    faults = verify_signals(written, CountingTeacher(), make_rows(9))
    assert len(faults) == 3
    assert faults[0].startswith(f"{path}: damaged: the row {row_key(make_rows(1)[0]).hex()}")
    assert faults[1].startswith("trajectory 'row 0': ")
    assert "trajectory 'row 8'" in faults[2]
    assert "holds no signals" in faults[2]


@pytest.mark.parametrize("packed", [False, True])
def test_entropies_for_a_curriculum_are_the_teachers(packed, written) -> None:
    rows = make_rows(8)
    found, expected = (
        summed_entropies(position_entropies(teacher, rows, 30, torch.device("cpu"), packed))
        for teacher in (CachedTeacher(written), CountingTeacher())
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert len(set(expected.round(3))) == len(rows)


def test_the_summary_is_about_what_the_teacher_said(written) -> None:
    rows = make_rows(8)
    found = SignalStore(written).summary()
    signal = ask(CountingTeacher(), rows)
    dense = signal.at(torch.arange(len(signal.entropy)))
    sparse = sparse_signal(dense, 20, 0.9)
    assert (found["rows"], found["positions"]) == (8, sum(row.supervised for row in rows))
    assert found["entropy"] == pytest.approx(dense.entropy.mean().item(), rel=1e-3)
    assert found["covered_mass"] == pytest.approx(1 - sparse.tail_log_mass.exp().mean().item(), rel=1e-3)
    assert 0.5 < found["covered_mass"] < 1
    assert found["entries"] == pytest.approx((sparse.log_probs > -torch.inf).sum(-1).double().mean().item())
    (path,) = written.glob("*.safetensors")
    assert found["bytes"] == path.stat().st_size / found["positions"]


def test_rows_of_any_width_are_joined() -> None:
    def stored(counts: list[int], first: int) -> dict[str, np.ndarray]:
        entries = sum(counts)
        return {
            "counts": np.array(counts, dtype="u1"),
            "tail_log_mass": np.full(len(counts), np.log(0.5), dtype="<f2"),
            "entropy": np.arange(len(counts), dtype="<f2"),
            "ids": np.arange(first, first + entries, dtype="<u2"),
            "log_probs": np.concatenate([np.full(one, np.log(0.5 / one)) for one in counts]).astype("<f2"),
        }

    found = join_rows([stored([1, 3], 10), stored([2], 20)])
    assert found.ids.tolist() == [[10, 10, 10], [11, 12, 13], [20, 21, 20]]
    shares = [[0.5, 0, 0], [1 / 6] * 3, [0.25, 0.25, 0]]
    assert found.log_probs.exp().tolist() == [pytest.approx(row, abs=1e-3) for row in shares]
    assert found.tail_log_mass.exp().tolist() == pytest.approx([0.5] * 3, abs=1e-3)
    assert found.entropy.tolist() == [0, 1, 0]


if __name__ == "__main__":
    stop_at, files, write_through = int(sys.argv[2]), [], store.os.fsync

    def stop_or_write(file: int) -> None:
        files.append(file)
        if len(files) == stop_at:
            print("stopped", flush=True)
            time.sleep(600)
        write_through(file)

    store.os.fsync = stop_or_write
    store.SHARD_SECONDS = -1.0  # a file for every row
    write_signals(Path(sys.argv[1]), IDENTITY, CountingTeacher(), make_rows(8), batch_tokens=1)
