"""What a teacher said, kept on disk: computed once, read by every student, and found by content alone.

A folder holds ``identity.json`` (whose signals these are, and how they were taken) and shards (``store.py``). A row is
found by the hash of the tokens that the teacher read and of which of them are supervised. So shuffling, filtering,
packing, resuming or a new curriculum cannot misalign anything: other tokens are another key, and a missing key is an
error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spanwise.config import SignalConfig
from spanwise.data.batching import batches_of_similar_length
from spanwise.data.tokenize import TokenizedTrajectory
from spanwise.errors import SignalError
from spanwise.teacher.online import OnlineTeacher
from spanwise.teacher.signal import DeferredSignal, SparseSignal, sampled_signal, sparse_signal
from spanwise.teacher.store import OF_ENTRY, OF_POSITION, SCHEMA_VERSION, ShardWriter, SignalStore, publish, sweep
from spanwise.training.batches import collate, row_key
from spanwise.types import SpanKind

IDENTITY = "identity.json"

#: Positions whose full distribution is looked at together.
_CHUNK = 256

#: Mean nats per position by which a row may differ when it is computed anew: what bf16 and other batches do.
TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose signals a folder holds, and how they were taken; what of it is known must agree before anyone uses them.

    Attributes:
        teacher: Fingerprint of the teacher's weights; None where the teacher is not at hand to be compared.
        tokenizer: Fingerprint of the vocabulary.
        vocabulary: Tokens that a distribution is over.
        precision: What the teacher computed in; None for a reader, whom it does not concern.
        settings: How distributions were made sparse.
    """

    teacher: str | None
    tokenizer: str
    vocabulary: int
    precision: str | None
    settings: SignalConfig

    def as_json(self) -> dict[str, Any]:
        """The values as they are written."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "settings": self.settings.model_dump(mode="json")}


def fingerprint_folder(folder: Path) -> str:
    """Hash of a model folder's weights and configuration, whatever the folder is called.

    Raises:
        SignalError: It holds no weights.
    """
    weights = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    if not weights:
        raise SignalError(f"{folder}: expected a model folder with weights (*.safetensors), found none")
    whole = sha256()
    for file in [folder / "config.json", *weights]:
        with file.open("rb") as stream:
            whole.update(f"{file.name} {file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


class CachedTeacher:
    """A teacher that is not there: what it said is read from a folder."""

    def __init__(self, folder: Path, sampled: bool = False) -> None:
        """Opens the signals; :func:`check_identity` tells whether they are the wanted ones.

        Args:
            folder: Of the signals.
            sampled: Whether they were drawn.
        """
        self.store = SignalStore(folder)
        self.sampled = sampled

    def signal(self, batch: Mapping[str, Tensor], positions: Tensor) -> SparseSignal:
        """See :class:`spanwise.teacher.signal.Teacher`.

        Raises:
            SignalError: A row of the batch is missing or damaged, or other positions are asked for than were kept.
        """
        signal = join_rows([self.store.row(key.tobytes()) for key in batch["keys"].cpu().numpy()], self.sampled)
        if len(signal.entropy) != int(positions.sum()):
            raise SignalError(
                f"{self.store.folder}: holds {len(signal.entropy)} positions for rows of which {int(positions.sum())} "
                "are asked for; only what an agent wrote has signals"
            )
        device = positions.device
        parts = (signal.ids, signal.log_probs, signal.tail_log_mass, signal.entropy)
        return SparseSignal(*(part.to(device) for part in parts), sampled=self.sampled)


def write_signals(
    folder: Path,
    identity: Identity,
    teacher: OnlineTeacher,
    rows: Sequence[TokenizedTrajectory],
    batch_tokens: int = 8192,
    device: torch.device | str = "cpu",
    packed: bool = False,
    progress: Callable[[int, int], None] = lambda done, of_all: None,
) -> None:
    """Asks a teacher about every row that is not there yet, and keeps what it says.

    It can be stopped at any moment and called again, and other processes may do the same at the same time.

    Args:
        folder: Where the signals go; made if it is not there.
        identity: Written into it, or compared with what is there.
        teacher: Who is asked; autocast is the caller's.
        rows: The data set.
        batch_tokens: Positions of one forward pass.
        device: Where the teacher expects its input.
        packed: How the teacher expects its input.
        progress: Told how many of the rows are there.

    Raises:
        SignalError: The folder holds other signals, or damaged ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    if (folder / IDENTITY).exists():
        check_identity(folder, identity)
    else:
        publish(folder / IDENTITY, json.dumps(identity.as_json(), indent=2).encode() + b"\n")
    store = SignalStore(folder)
    missing = {key: row for row in rows if (key := row_key(row)) not in store}
    keys = list(missing)
    lengths = [len(row) for row in missing.values()]
    done = len(rows) - len(missing)
    progress(done, len(rows))
    writer = ShardWriter(folder)
    try:
        for batch in batches_of_similar_length(lengths, batch_tokens, packed):
            chosen = [missing[keys[index]] for index in batch]
            tensors = {name: one.to(device) for name, one in collate(chosen, packed).items()}
            with torch.no_grad():
                signal = teacher.signal(tensors, tensors["kind"] != SpanKind.CONTEXT)
                start = 0
                for index, row in zip(batch, chosen, strict=True):
                    places = torch.arange(start, start := start + row.supervised, device=device)
                    writer.add(keys[index], row_of(signal, places, keys[index], identity))
            done += len(chosen)
            progress(done, len(rows))
    finally:  # an interrupted pass keeps what it has
        writer.flush()


def row_of(signal: DeferredSignal, places: Tensor, key: bytes, identity: Identity) -> dict[str, np.ndarray]:
    """A row's signal as the arrays that are stored: ``counts``, ``tail_log_mass``, ``entropy`` [N]; the others [M].

    Args:
        signal: Of a batch.
        places: The row's positions among those of the batch [N].
        key: Of the row; what is drawn for it depends on this and the settings alone.
        identity: How it is made sparse.
    """
    settings = identity.settings
    generator = torch.Generator(places.device).manual_seed(int.from_bytes(key[:4], "little") + settings.seed)
    id_type = np.dtype("<u2" if identity.vocabulary <= 2**16 else "<u4")
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*OF_POSITION, *OF_ENTRY)}
    for chunk in places.split(_CHUNK):
        dense = signal.at(chunk)
        if settings.variant == "sampled":
            sparse = sampled_signal(dense, settings.draws, generator)
        else:
            sparse = sparse_signal(dense, settings.most, settings.mass)
        recorded = sparse.log_probs > -torch.inf
        parts["counts"].append(recorded.sum(-1).cpu().numpy())
        parts["tail_log_mass"].append(sparse.tail_log_mass.cpu().numpy())
        parts["entropy"].append(sparse.entropy.cpu().numpy())
        parts["ids"].append(sparse.ids[recorded].cpu().numpy())
        parts["log_probs"].append(sparse.log_probs[recorded].cpu().numpy())
    types = {**OF_POSITION, "ids": id_type, "log_probs": np.dtype("<f2")}
    return {name: np.concatenate(arrays).astype(types[name]) for name, arrays in parts.items()}


def join_rows(rows: Sequence[dict[str, np.ndarray]], sampled: bool = False) -> SparseSignal:
    """Stored rows, one after the other, as one signal; its masses, which fp16 has moved a little, sum to one again."""
    whole = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    counts_N = whole["counts"].astype(np.int64)
    recorded_NK = np.arange(counts_N.max(initial=1)) < counts_N[:, None]
    first_N = whole["ids"][np.cumsum(counts_N) - counts_N].astype(np.int64)
    ids_NK = np.repeat(first_N[:, None], recorded_NK.shape[1], axis=1)
    ids_NK[recorded_NK] = whole["ids"]
    outcomes_NO = np.full((len(counts_N), recorded_NK.shape[1] + 1), -np.inf, dtype=np.float32)
    outcomes_NO[:, :-1][recorded_NK] = whole["log_probs"]
    outcomes_NO[:, -1] = whole["tail_log_mass"]
    normal_NO = torch.from_numpy(outcomes_NO).log_softmax(-1)
    entropy_N = torch.from_numpy(whole["entropy"].astype(np.float32))
    return SparseSignal(torch.from_numpy(ids_NK), normal_NO[:, :-1], normal_NO[:, -1], entropy_N, sampled)


def check_identity(folder: Path, identity: Identity) -> None:
    """Makes sure that a folder's signals are the wanted ones.

    Raises:
        SignalError: They are of another teacher, tokenizer or setting, or there are none.
    """
    path = folder / IDENTITY
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SignalError(f"{folder}: holds no teacher signals; `spanwise cache` makes them") from error
    except (OSError, ValueError) as error:
        raise SignalError(
            f"{path}: cannot be read ({error}); remove {folder} and run `spanwise cache` again"
        ) from error
    wanted = identity.as_json()
    for name, value in wanted.items():
        if value is not None and (not isinstance(found, dict) or found.get(name) != value):
            there = found.get(name) if isinstance(found, dict) else found
            raise SignalError(
                f"{folder}: its signals have another {name}: found {there}, wanted {value}; remove the folder and run "
                "`spanwise cache` again, or use the teacher and settings that it was made with"
            )


@torch.no_grad()
def verify_signals(
    folder: Path,
    teacher: OnlineTeacher,
    rows: Sequence[TokenizedTrajectory],
    device: torch.device | str = "cpu",
    packed: bool = False,
    progress: Callable[[int, int], None] = lambda done, of_all: None,
) -> list[str]:
    """Reads everything, asks the teacher again about some rows, one at a time, and tells what differs, a line each.

    A row is at fault if the stored outcomes differ from the teacher's by more than :data:`TOLERANCE` nats (mean KL over
    its positions), or its entropies do.
    """
    store = SignalStore(folder)
    faults = store.check()
    sampled = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["settings"]["variant"] == "sampled"
    for number, row in enumerate(rows):
        try:
            stored = join_rows([store.row(row_key(row))], sampled)
        except SignalError as error:
            faults.append(f"trajectory {row.id!r}: {error}")
            continue
        tensors = {name: one.to(device) for name, one in collate([row], packed).items()}
        signal = teacher.signal(tensors, tensors["kind"] != SpanKind.CONTEXT)
        difference = []
        for chunk in torch.arange(len(stored.entropy), device=device).split(_CHUNK):
            now, part = signal.at(chunk), stored.at(chunk.cpu())
            apart = (now.entropy.cpu() - part.entropy).abs()
            if not sampled:
                was_NO, is_NO = part.align(now.log_probs.cpu(), 1.0)
                apart = torch.maximum(apart, (is_NO.exp() * (is_NO - was_NO.clamp(min=-30.0))).sum(-1))
            difference.append(apart)
        apart_N = torch.cat(difference)
        if not apart_N.mean() <= TOLERANCE:
            place = int(apart_N.argmax())
            position = int(np.flatnonzero(row.kind != SpanKind.CONTEXT)[place])
            faults.append(
                f"trajectory {row.id!r}: differs from the teacher by {apart_N.mean():.3g} nats a position, most "
                f"({apart_N[place]:.3g}) at token {position} (step {row.step[position]}); expected {TOLERANCE} at most"
            )
        progress(number + 1, len(rows))
    return faults
