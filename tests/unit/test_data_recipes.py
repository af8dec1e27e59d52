"""What a recipe with recorded data may say."""

from pathlib import Path

import pytest

from spanwise.errors import ConfigError
from spanwise.recipes import load_recipe

TRACES = Path(__file__).parents[2] / "recipes" / "traces.toml"
DATA = "data=d.jsonl"


def test_the_recipe_is_text_only_and_nothing_else_is_needed() -> None:
    recipe = load_recipe(TRACES, [DATA])
    assert not recipe.teacher.exists
    assert recipe.tokenizer_path is None
    assert not any(student.training.objective.needs_teacher for student in recipe.students.methods.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], r"teacher without training needs teacher.model.path"),
        (
            [DATA, "students.methods.kd.training.objective.method=token_kd"],
            r"methods.kd: its objective compares .* none",
        ),
        (
            [DATA, "students.methods.sad.training.objective.act.divergence=reverse_kl"],
            r"methods.sad: its objective compares with a teacher.*cross_entropy",
        ),
        ([DATA, "teacher.source=cache"], r"keeps what a teacher says, and there is none"),
        ([DATA, "environment.rendering=chat"], r"teacher.model.path or students.model.path"),
        ([DATA, "traces.held_out=1.0"], r"traces.held_out: .*less than 1"),
        ([DATA, "traces.only_successful=maybe"], r"traces.only_successful"),
        ([DATA, "traces.min_steps=5", "traces.max_steps=4"], r"max_steps = 4 is less than min_steps = 5"),
        ([DATA, "traces.heldout=0.1"], r"unknown key 'traces.heldout'; did you mean 'held_out'"),
        (["data=none", "teacher.training.epochs=1.0"], r"traces chooses among recorded trajectories: name their file"),
    ],
)
def test_wrong_changes_say_what_is_right(changes, message) -> None:
    if "data=none" in changes:
        changes = [*changes, "traces.held_out=0.2"]
    with pytest.raises(ConfigError, match=message):
        load_recipe(TRACES, changes)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (["students.model.path=S"], "S"),
        (["teacher.model.path=T"], "T"),
        (["teacher.model.path=T", "students.model.path=S"], "T"),
        (["teacher.training.objective.method=sft", "students.model.path=S"], "S"),
    ],
)
def test_whose_tokenizer_it_is(changes, path) -> None:
    assert load_recipe(TRACES, [DATA, *changes]).tokenizer_path == path


def test_a_teacher_makes_divergences_possible() -> None:
    kd = "students.methods.kd.training.objective.method=token_kd"
    for teacher in ("teacher.model.path=T", "teacher.training.objective.method=sft"):
        assert load_recipe(TRACES, [DATA, teacher, kd]).teacher.exists


def test_a_students_tokenizer_is_nobodys_where_games_are_played() -> None:
    toy = TRACES.with_name("toy.toml")
    assert load_recipe(toy, ["students.model.path=S"]).tokenizer_path is None
