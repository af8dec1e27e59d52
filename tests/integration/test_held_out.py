"""Episodes of the teacher that are held out: no student learns from them, and each is judged by them."""

import json
from pathlib import Path

import pytest

from spanwise.agents.experts import make_expert
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import ArchitectureConfig, Recipe, TokenizerConfig
from spanwise.environments import make_task_set
from spanwise.errors import ConfigError, RunDirectoryError
from spanwise.evaluation.rollouts import episode_seed
from spanwise.pipeline import Pipeline
from spanwise.progress import ProgressWatcher
from spanwise.recipes import load_recipe
from spanwise.run_directory import RunDirectory
from spanwise.traces.jsonl import read_trajectories, write_trajectories
from spanwise.training.models import create_model, create_tokenizer

GAMES = 20


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A teacher that has played already: what its rollouts hold is the expert's."""
    small = {"hidden_size": 16, "intermediate_size": 32, "layers": 1, "heads": 2, "max_length": 512}
    learning = {"max_steps": 1, "batch_tokens": 600, "precision": "fp32", "objective": {"method": "token_kd"}}
    return Recipe.model_validate(
        {
            "name": "held-out",
            "environment": {"name": "toy", "workers": 0, "generator": {"train": GAMES, "valid_seen": 2}},
            "teacher": {
                "model": {"path": str(tmp_path / "teacher")},
                "training": None,
                "rollouts": {"held_out": 0.3},
            },
            "students": {"model": small, "training": learning, "methods": {"kd": {}}},
            "evaluate": {"max_new_tokens": 4},
        }
    )


def play(recipe: Recipe, run: Path) -> None:
    tasks = make_task_set(recipe.environment)
    specs = [
        EpisodeSpec(task.task_id, task.task_type, episode_seed(recipe.seed, task.task_id))
        for task in tasks.tasks("train")
    ]
    played = list(rollout(make_expert(recipe.environment), tasks, specs, RolloutSettings(workers=0)))
    texts = [text for one in played for step in one.steps for text in (step.observation, step.completion)]
    tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=300))
    shape = ArchitectureConfig(hidden_size=16, intermediate_size=32, layers=1, heads=2, max_length=512)
    folder = run.parent / "teacher"
    create_model(shape, tokenizer, 7).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_trajectories(run / "rollouts.jsonl", played)


def test_students_are_judged_by_what_none_of_them_learnt_from(recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with RunDirectory.open(run, recipe) as directory:
        play(recipe, run)
        pipeline = Pipeline(recipe, directory, ProgressWatcher())
        pipeline.train_teacher()
        pipeline.collect_teacher()
        pipeline.train_students()
        pipeline.evaluate()
        pipeline.report()
        kept, held_out = (
            {one.task_id for one in read_trajectories(run / name)} for name in ("trajectories.jsonl", "held_out.jsonl")
        )
        assert len(kept) + len(held_out) == GAMES
        assert not kept & held_out
        assert 0 < len(held_out) < GAMES / 2
        for name in ("teacher", "kd"):
            results = json.loads((run / "fidelity" / name / "fidelity.json").read_text())
            assert results["tasks"] == len(held_out)
            assert results["metrics"]["thought_close"]["n"] > 0
            assert (results["metrics"]["act_kl"]["n"] > 0) == (name == "kd")
            assert directory.manifest["stages"][f"fidelity.{name}"]["status"] == "done"
        report = (run / "report.md").read_text()
        assert "## Fidelity on held-out trajectories" in report
        assert "## Results" in report


def test_a_share_that_holds_out_no_won_game_is_an_error(recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    little = recipe.model_copy(
        update={
            "teacher": recipe.teacher.model_copy(
                update={"rollouts": recipe.teacher.rollouts.model_copy(update={"held_out": 1e-9})}
            )
        }
    )
    with RunDirectory.open(run, little) as directory:
        play(little, run)
        pipeline = Pipeline(little, directory, ProgressWatcher())
        pipeline.train_teacher()
        with pytest.raises(RunDirectoryError, match=r"raise teacher\.rollouts\.held_out"):
            pipeline.collect_teacher()


def test_data_have_a_share_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('name = "r"\ndata = "x.jsonl"\n[teacher.rollouts]\nheld_out = 0.2\n')
    with pytest.raises(ConfigError, match=r"of data, set traces\.held_out"):
        load_recipe(path)
