"""Training goes on as ever where a chat template makes every step a row of its own."""

import json

import pytest

from spanwise.config import ArchitectureConfig, CurriculumConfig, ObjectiveConfig, SignalConfig, TrainingConfig
from spanwise.data.render import ChatRendering
from spanwise.data.tokenize import tokenize_all
from spanwise.teacher.cache import CachedTeacher, Identity, write_signals
from spanwise.teacher.online import OnlineTeacher
from spanwise.training.batches import row_key
from spanwise.training.models import create_model
from spanwise.training.trainer import train


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_rows_of_steps_are_trained_on_from_a_cache(family_tokenizer, trajectories, tmp_path, layout) -> None:
    tokenizer = family_tokenizer("deepseek")
    chat, some = ChatRendering(tokenizer), trajectories[:3]
    rows, report = tokenize_all(some, tokenizer, 2048, "cut", chat)
    assert (report.kept, report.samples) == (sum(len(one.steps) for one in some), 3)
    assert len({row_key(row) for row in rows}) == len(rows)

    def make(seed):
        shape = ArchitectureConfig(hidden_size=16, intermediate_size=32, layers=2, heads=2, max_length=2048)
        return create_model(shape, tokenizer, seed)

    identity = Identity("teacher", "tokenizer", len(tokenizer), "fp32", SignalConfig(mass=1.0, most=255))
    write_signals(tmp_path / "signals", identity, OnlineTeacher(make(7), len(tokenizer)), rows)
    config = TrainingConfig(
        objective=ObjectiveConfig(method="sad"),
        curriculum=CurriculumConfig(pacing="sorted"),
        layout=layout,
        precision="fp32",
        batch_tokens=4096,
        max_length=2048,
        max_steps=2,
        log_every=1,
    )
    result = train(
        make(0), tokenizer, some, config, tmp_path / "model", 0, CachedTeacher(tmp_path / "signals"), rendering=chat
    )
    assert result.overlong == report
    assert result.tokens > max(map(len, rows))
    assert all(json.loads(line)["loss"] > 0 for line in (tmp_path / "model" / "metrics.jsonl").read_text().splitlines())
    again = train(make(0), tokenizer, some, config, tmp_path / "model", 0, rendering=chat)
    assert again == result
