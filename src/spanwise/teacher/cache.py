"""What a teacher said, kept on disk: computed once, read by every student, and found by content alone.

A folder holds ``identity.json`` (whose signals these are, and how they were taken) and shards (``store.py``). A row is
found by the hash of the tokens that the teacher read and of which of them are supervised. So shuffling, filtering,
packing, resuming or a new curriculum cannot misalign anything: other tokens are another key, and a missing key is an
error.

Where students learn the teacher's attention too (``training/attention_target.py``), each of its layers that they ask
for has such a folder below, ``attention/<layer>``: in place of tokens that may be next there are tokens that were read,
by how far before the query they stand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
from spanwise.training.attention_target import (
    AttentionRecorder,
    Projections,
    QueryBlock,
    model_depth,
    query_blocks,
    sparse_attention,
)
from spanwise.training.batches import collate, row_key
from spanwise.types import SpanKind

IDENTITY = "identity.json"

#: Folder of the attention, and what is kept of a query's: the fewest tokens that hold a mass, and how many at most.
ATTENTION, ATTENTION_MASS, ATTENTION_MOST = "attention", 0.95, 32

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

    def of_attention(self, layer: int, depth: int) -> dict[str, Any]:
        """The same of a layer's attention, of a teacher that has ``depth`` of them."""
        same = {name: value for name, value in self.as_json().items() if name not in ("vocabulary", "settings")}
        kept = {"layer": layer, "depth": depth, "mass": ATTENTION_MASS, "most": ATTENTION_MOST}
        return {**same, "attention": kept}


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


class CachedAttention:
    """The attention that a folder of signals has, below it."""

    def __init__(self, signals: Path) -> None:
        """Looks which layers there are; each is opened when it is asked for.

        Raises:
            SignalError: A layer says nothing of itself, or is another teacher's than the signals are.
        """
        self.signals = signals
        self._depths: dict[int, int] = {}
        teacher = None
        for path in sorted((signals / ATTENTION).glob(f"*/{IDENTITY}")):
            teacher = teacher or _read_identity(signals).get("teacher")
            identity = _compare(path.parent, {"schema_version": SCHEMA_VERSION, "teacher": teacher})
            self._depths[int(path.parent.name)] = identity["attention"]["depth"]

    @property
    def layers(self) -> Collection[int]:
        """Those that are there."""
        return self._depths.keys()

    @property
    def depth(self) -> int:
        """How many layers the teacher has.

        Raises:
            SignalError: There is nothing of it.
        """
        if not self._depths:
            raise SignalError(
                f"{self.signals}: holds no attention of the teacher, which objective.attention learns; "
                "`spanwise cache` adds it"
            )
        return next(iter(self._depths.values()))

    def layer(self, number: int) -> CachedTeacher:
        """What is kept of a layer: of each query the distances of the tokens that it looks at.

        Raises:
            SignalError: It is not there, or damaged.
        """
        if number not in self._depths:
            raise SignalError(
                f"{self.signals}: holds no attention of the teacher's layer {number} (of {self.depth}, which begin at "
                f"0; there are {', '.join(map(str, sorted(self._depths)))}); `spanwise cache` adds it"
            )
        return CachedTeacher(_attention_folder(self.signals, number))


def write_signals(
    folder: Path,
    identity: Identity,
    teacher: OnlineTeacher,
    rows: Sequence[TokenizedTrajectory],
    batch_tokens: int = 8192,
    device: torch.device | str = "cpu",
    packed: bool = False,
    progress: Callable[[int, int], None] = lambda done, of_all: None,
    layers: Collection[int] = (),
) -> None:
    """Asks a teacher about every row that is not there yet, and keeps what it says, and where it looks.

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
        layers: Of the teacher, whose attention is kept.

    Raises:
        ModelError: A layer's attention is not plain causal attention.
        SignalError: The folder holds other signals, or damaged ones; or a row is too long for its attention to be kept.
    """
    said = _Place.prepared(folder, identity.as_json())
    seen = {
        layer: _Place.prepared(
            _attention_folder(folder, layer), identity.of_attention(layer, model_depth(teacher.model))
        )
        for layer in layers
    }
    stores = [place.store for place in (said, *seen.values())]
    missing = {key: row for row in rows if not all((key := row_key(row)) in store for store in stores)}
    keys = list(missing)
    lengths = [len(row) for row in missing.values()]
    done = len(rows) - len(missing)
    progress(done, len(rows))
    recorder = AttentionRecorder({teacher.model: set(seen)} if seen else {})
    try:
        with recorder.installed(), torch.no_grad():
            for batch in batches_of_similar_length(lengths, batch_tokens, packed):
                chosen = [missing[keys[index]] for index in batch]
                tensors = {name: one.to(device) for name, one in collate(chosen, packed).items()}
                positions = tensors["kind"] != SpanKind.CONTEXT
                with recorder.listening():
                    signal = teacher.signal(tensors, positions)
                heard = {layer: one for (_, layer), one in recorder.take().items()}
                columns_N, blocks = query_blocks(tensors, positions) if seen else (positions, [])
                start = 0
                for index, row in zip(batch, chosen, strict=True):
                    key, first = keys[index], start
                    places = torch.arange(first, start := first + row.supervised, device=device)
                    if key not in said.store:
                        said.writer.add(key, row_of(signal, places, key, identity))
                    of_row = [block for block in blocks if first <= block.queries.start < start]
                    for layer, place in seen.items():
                        if key not in place.store:
                            place.writer.add(key, attention_row(heard[layer], columns_N, of_row))
                done += len(chosen)
                progress(done, len(rows))
    finally:  # an interrupted pass keeps what it has
        for place in (said, *seen.values()):
            place.writer.flush()


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that is written to: what it held before, and who adds to it."""

    store: SignalStore
    writer: ShardWriter

    @classmethod
    def prepared(cls, folder: Path, identity: Mapping[str, Any]) -> _Place:
        """A folder that says whose it is."""
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        if (folder / IDENTITY).exists():
            _compare(folder, identity)
        else:
            publish(folder / IDENTITY, json.dumps(identity, indent=2).encode() + b"\n")
        return cls(SignalStore(folder), ShardWriter(folder))


def _attention_folder(signals: Path, layer: int) -> Path:
    return signals / ATTENTION / str(layer)


def attention_row(layer: Projections, columns_N: Tensor, blocks: Sequence[QueryBlock]) -> dict[str, np.ndarray]:
    """A row's attention as the arrays that are stored, ``ids`` being how far before the query a token is.

    Args:
        layer: What it is computed from.
        columns_N: And the blocks: as :func:`spanwise.training.attention_target.query_blocks` gives them.
        blocks: Of the row.

    Raises:
        SignalError: The row has more than 65,536 tokens.
    """
    longest = max(block.end - block.first for block in blocks)
    if longest > 2**16:
        raise SignalError(f"attention is kept of rows of 65,536 tokens at most, found one of {longest:,}")
    return _arrays(sparse_attention(layer, columns_N, blocks, ATTENTION_MOST, ATTENTION_MASS), np.dtype("<u2"))


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

    def of_chunk(chunk: Tensor) -> SparseSignal:
        dense = signal.at(chunk)
        if settings.variant == "sampled":
            return sampled_signal(dense, settings.draws, generator)
        return sparse_signal(dense, settings.most, settings.mass)

    id_type = np.dtype("<u2" if identity.vocabulary <= 2**16 else "<u4")
    return _arrays(map(of_chunk, places.split(_CHUNK)), id_type)


def _arrays(signals: Iterable[SparseSignal], id_type: np.dtype) -> dict[str, np.ndarray]:
    """Signals, one after the other, as the arrays of a row."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*OF_POSITION, *OF_ENTRY)}
    for sparse in signals:
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
    _compare(folder, identity.as_json())


def _read_identity(folder: Path) -> dict[str, Any]:
    path = folder / IDENTITY
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise SignalError(f"{folder}: holds no teacher signals; `spanwise cache` makes them") from error
    except (OSError, ValueError, TypeError) as error:
        raise SignalError(
            f"{path}: cannot be read ({error}); remove {folder} and run `spanwise cache` again"
        ) from error


def _compare(folder: Path, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder says of itself, if it agrees with all that is known."""
    found = _read_identity(folder)
    for name, value in wanted.items():
        if value is not None and found.get(name) != value:
            raise SignalError(
                f"{folder}: its signals have another {name}: found {found.get(name)}, wanted {value}; remove the "
                "folder and run `spanwise cache` again, or use the teacher and settings that it was made with"
            )
    return found


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
    its positions), or its entropies do. Attention is read, and not computed again.
    """
    store = SignalStore(folder)
    kept = CachedAttention(folder)
    attention = [kept.layer(layer).store for layer in kept.layers]
    faults = [fault for one in (store, *attention) for fault in one.check()]
    sampled = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))["settings"]["variant"] == "sampled"
    for number, row in enumerate(rows):
        try:
            stored, *_ = [join_rows([one.row(row_key(row))], sampled) for one in (store, *attention)]
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
