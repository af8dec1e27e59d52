"""A small suite of the toy world that is done: real evaluations of agents that err more or less, invented curves."""

import json
from dataclasses import replace

import numpy as np
from safetensors.numpy import save_file
from tests.unit.report.conftest import ErringExpert

from spanwise.environments import make_task_set
from spanwise.evaluation.fidelity import StepRecord, dump_steps
from spanwise.evaluation.metrics import dump_records, read_records
from spanwise.evaluation.rollouts import evaluate
from spanwise.suite.cells import SHARED, CellWork, shared_evaluation
from spanwise.suite.config import Suite, cell_folder
from spanwise.suite.loading import SUITE

#: Share of turns in which a student errs.
ERRORS = {"token_kd": 0.5, "sad": 0.15, "sft": 0.5}


def fabricate_suite(tasks=8, seeds=(0, 1)):
    """What is asked for: three methods at one size; two sizes, and two amounts of data, of two of them."""
    shape = {"hidden_size": 16, "heads": 2}
    return Suite.model_validate(
        {
            "name": "toys",
            "recipe": {
                "name": "toys",
                "environment": {"name": "toy", "budget": 12, "workers": 0, "generator": {"valid_seen": tasks}},
                "teacher": {"rollouts": {"held_out": 0.1}},
            },
            "methods": {name: {"objective": {"method": name}} for name in ERRORS},
            "sizes": {"small": shape, "large": shape},
            "main_size": "small",
            "seeds": list(seeds),
            "splits": {
                name: {
                    "evaluate": {"split": name},
                    "environment": {"name": "toy", "budget": 12, "workers": 0, "generator": {"valid_seen": tasks}},
                }
                for name in ("valid_seen", "valid_unseen")
            },
            "grids": [
                {"sizes": ["small"]},
                {"methods": ["token_kd", "sad"], "sizes": ["large"]},
                {"methods": ["token_kd", "sad"], "sizes": ["small"], "data": [10]},
            ],
        }
    )


def fabricate_cells(run, suite):
    """Writes what the finished suite leaves for its report."""
    run.mkdir(parents=True, exist_ok=True)
    (run / SUITE).write_text(json.dumps({"schema_version": 1, "suite": suite.model_dump(mode="json")}))
    shared = run / SHARED
    shared.mkdir()
    manifest = {"schema_version": 1, "versions": {"spanwise": "0.1.0"}, "stages": {"train.teacher": {"seconds": 60.0}}}
    (shared / "manifest.json").write_text(json.dumps(manifest))
    (shared / "trajectories.jsonl").write_text("{}\n" * 50)
    _write_model(shared / "teacher" / "model", 0, 40)
    for split in suite.splits:
        for agent, errors, model in (("expert", 0.0, None), ("teacher", 0.1, shared / "teacher" / "model")):
            _play(suite, split, agent, agent, errors, shared_evaluation(run, split, agent), model)
    for number, cell in enumerate(suite.cells, start=1):
        folder = cell_folder(run, cell)
        _write_model(folder / "model", number, 20 if cell.size == "large" else 10)
        lines = (
            {"step": step, "reason_accuracy": step / (step + 20), "act_accuracy": step / (step + 5 * number)}
            for step in range(10, 110, 10)
        )
        (folder / "model" / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        errors = ERRORS[cell.method] * (1 if cell.size == "small" else 0.8) + (0 if cell.data == "all" else 0.1)
        for split in suite.splits:
            out = folder / "evaluation" / split
            _play(suite, split, cell.method, f"{cell.name}{split}", errors, out, folder / "model")
        (folder / "fidelity").mkdir()
        (folder / "fidelity" / "fidelity.jsonl").write_text(dump_steps(_steps(errors)))
        _write_manifest(folder, suite, cell, run)


def _write_model(folder, number, width):
    folder.mkdir(parents=True)
    save_file({"weight": np.full((width, 30), number, np.float32)}, folder / "model.safetensors")


def _play(suite, split, name, luck, errors, out, model):
    played = suite.splits[split]
    agent = _Named(luck, errors, name)
    task_set = make_task_set(played.environment)
    evaluate(agent, task_set, played.evaluate, played.environment, out, suite.recipe.seed, model=model)
    records = read_records(out / "episodes.jsonl")
    thinking = [replace(record, reasoning_tokens=int(record.steps * (5 + 10 * errors))) for record in records]
    (out / "episodes.jsonl").write_text(dump_records(thinking))


class _Named(ErringExpert):
    """An agent whose luck has another name than itself."""

    def __init__(self, luck, errors, name):
        super().__init__(luck, errors)
        self._luck, self.name = luck, name

    def act(self, histories):
        self.name, shown = self._luck, self.name
        try:
            return super().act(histories)
        finally:
            self.name = shown


def _steps(errors):
    step = StepRecord(
        **dict.fromkeys(StepRecord.__dataclass_fields__, 0.0)
        | {"id": "a", "task_id": "a", "step": 0, "completion": "", "action": "go", "reference_action": "go"}
        | {"reason_tokens": 5, "act_tokens": 3, "reason_characters": 20, "act_characters": 9}
        | {"parsed": True, "stopped": True, "styled": True, "thought_tokens": 5, "reference_thought_tokens": 5}
        | {"reason_kl": errors, "act_kl": errors / 2, "name_match": True, "argument_match": True}
    )
    return [
        replace(
            step, id=f"t{task}", task_id=f"t{task}", step=turn, action_match=(task + turn) % 7 > 7 * errors, rouge_l=x
        )
        for task in range(6)
        for turn, x in enumerate((1.0, 0.8, 1 - errors))
    ]


def _write_manifest(folder, suite, cell, run):
    work = CellWork(suite, cell, run, "taught")
    stages = {
        stage.name: {
            "status": "done",
            "inputs": work.inputs(stage),
            "started": "2026-01-01T00:00:00+00:00",
            "seconds": 30.0,
        }
        for stage in work.stages()
    }
    (folder / "manifest.json").write_text(json.dumps({"schema_version": 1, "name": "toys", "stages": stages}))
