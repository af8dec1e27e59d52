"""The teacher signals of a run directory: made from its trajectories, opened for its students, verified."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from pathlib import Path

import torch
from huggingface_hub import snapshot_download

from spanwise.config import Recipe, TrainingConfig
from spanwise.data.render import make_rendering
from spanwise.data.tokenize import TokenizedTrajectory, tokenize_all
from spanwise.run_content import KEPT, SIGNALS, learnt_from, run_tokenizer, teacher_folder
from spanwise.teacher.cache import (
    CachedAttention,
    CachedTeacher,
    Identity,
    check_identity,
    fingerprint_folder,
    verify_signals,
    write_signals,
)
from spanwise.teacher.online import OnlineTeacher
from spanwise.training.arguments import training_arguments
from spanwise.training.attention import fast_attention, packs
from spanwise.training.attention_target import model_depth
from spanwise.training.batches import row_key
from spanwise.training.models import check_same_vocabulary, fingerprint, load_model, load_tokenizer
from spanwise.training.projection import check_head


def write_run_signals(recipe: Recipe, run: Path, progress: Callable[[int, int], None]) -> None:
    """Asks the run's teacher about all rows that a student of the recipe may ask for, and that are not there yet."""
    settings = _trainings(recipe)[0]
    arguments = training_arguments(settings, run, recipe.seed)
    teacher, packed = _load_teacher(recipe, run, arguments.device)
    precision = "bf16" if arguments.bf16 else "fp32"
    with torch.autocast(arguments.device.type, torch.bfloat16, enabled=arguments.bf16), fast_attention(teacher.model):
        write_signals(
            run / SIGNALS,
            _identity(recipe, run, fingerprint_folder(_downloaded(teacher_folder(recipe, run))), precision),
            teacher,
            _rows(recipe, run),
            settings.batch_tokens,
            arguments.device,
            packed,
            progress,
            _layers(recipe, model_depth(teacher.model)),
        )


def lacks_attention(recipe: Recipe, run: Path) -> bool:
    """Whether a student of the recipe learns attention that the run's signals do not have, as those of older runs."""
    found = CachedAttention(run / SIGNALS)
    return recipe.kept_attention is not None and not (
        found.layers and set(_layers(recipe, found.depth)) <= set(found.layers)
    )


def _layers(recipe: Recipe, depth: int) -> Collection[int]:
    """Layers of a teacher whose attention is kept; which of all, only a student's own depth would tell."""
    return {None: [], "last": [depth - 1], "all": range(depth)}[recipe.kept_attention]


def open_run_signals(recipe: Recipe, run: Path) -> CachedTeacher:
    """The teacher of a run as its signals; the teacher itself is compared if it is there, and not needed.

    Raises:
        SignalError: There are no signals, they are damaged, or another teacher's.
    """
    folder = Path(teacher_folder(recipe, run))
    known = fingerprint_folder(folder) if folder.is_dir() else None
    check_identity(run / SIGNALS, _identity(recipe, run, known, None))
    return CachedTeacher(run / SIGNALS, recipe.teacher.signals.variant == "sampled")


def verify_run_signals(
    recipe: Recipe, run: Path, count: int, seed: int, progress: Callable[[int, int], None]
) -> list[str]:
    """Reads all signals of a run, computes those of ``count`` random rows again; what differs, a line each."""
    settings = _trainings(recipe)[0]
    arguments = training_arguments(settings, run, recipe.seed)
    open_run_signals(recipe, run)
    rows = _rows(recipe, run)
    chosen = random.Random(seed).sample(rows, min(count, len(rows)))
    teacher, packed = _load_teacher(recipe, run, arguments.device)
    with torch.autocast(arguments.device.type, torch.bfloat16, enabled=arguments.bf16), fast_attention(teacher.model):
        return verify_signals(run / SIGNALS, teacher, chosen, arguments.device, packed, progress)


def _trainings(recipe: Recipe) -> list[TrainingConfig]:
    """How the students that learn from a teacher are trained; if there are none, how students are."""
    trainings = [student.training for student in recipe.students.methods.values()]
    return [one for one in trainings if one.objective.needs_teacher] or [recipe.students.training]


def _rows(recipe: Recipe, run: Path) -> list[TokenizedTrajectory]:
    """Every row that some student trains on, once."""
    tokenizer = run_tokenizer(run)
    trajectories = learnt_from(recipe, run, KEPT)
    rendering = make_rendering(recipe.environment.rendering, tokenizer)
    rows: dict[bytes, TokenizedTrajectory] = {}
    for limits in dict.fromkeys((one.max_length, one.overlong) for one in _trainings(recipe)):
        rows |= {row_key(row): row for row in tokenize_all(trajectories, tokenizer, *limits, rendering)[0]}
    return list(rows.values())


def _load_teacher(recipe: Recipe, run: Path, device: torch.device) -> tuple[OnlineTeacher, bool]:
    """The teacher on a device, and whether it takes rows packed."""
    folder = teacher_folder(recipe, run)
    tokenizer = run_tokenizer(run)
    check_same_vocabulary(load_tokenizer(folder), tokenizer)
    model = load_model(folder).to(device)  # type: ignore[arg-type]
    check_head(model)
    return OnlineTeacher(model, len(tokenizer)), packs(model)


def _identity(recipe: Recipe, run: Path, teacher: str | None, precision: str | None) -> Identity:
    tokenizer = run_tokenizer(run)
    return Identity(teacher, fingerprint(tokenizer), len(tokenizer), precision, recipe.teacher.signals)


def _downloaded(model: str | Path) -> Path:
    """The folder of a model that may be a hub name; it was loaded, so it is on this machine."""
    return Path(model) if Path(model).is_dir() else Path(snapshot_download(str(model), local_files_only=True))
