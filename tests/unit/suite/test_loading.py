"""What a suite's file says, what is laid over what, and what a wrong one is told."""

from pathlib import Path

import pytest

from spanwise.errors import ConfigError, RunDirectoryError
from spanwise.run_directory import RunDirectory
from spanwise.suite.config import Cell
from spanwise.suite.loading import load_suite, read_suite

RECIPES = Path(__file__).parents[3] / "recipes" / "suite"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "base.toml").write_text(
        'name = "b"\n[environment]\nname = "toy"\nbudget = 12\n[students.training]\nmax_steps = 7\n'
        "[students.model]\nlayers = 3\n[students.methods.other.training]\nepochs = 1.0\n[evaluate]\nlimit = 5\n"
    )
    path = tmp_path / "s.toml"
    path.write_text(
        'base = "base.toml"\nseeds = [3, 4]\n'
        "[recipe]\nseed = 9\n"
        '[methods.token_kd]\nobjective = { method = "token_kd" }\n'
        '[methods.sad]\nobjective = { method = "sad" }\nmax_steps = 8\n'
        "[sizes.small]\nlayers = 2\n[sizes.large]\n"
        '[splits.seen]\n[splits.other]\nevaluate = { split = "valid_unseen" }\nenvironment = { budget = 20 }\n'
    )
    return path


def test_what_is_laid_over_what(file):
    suite = load_suite(file)
    assert (suite.name, suite.recipe.seed, suite.main_size) == ("s", 9, "small")
    assert list(suite.methods) == ["token_kd", "sad"]
    assert [training.max_steps for training in suite.methods.values()] == [7, 8]
    assert [size.layers for size in suite.sizes.values()] == [2, 3]
    assert (suite.splits["other"].evaluate.split, suite.splits["other"].evaluate.limit) == ("valid_unseen", 5)
    assert [split.environment.budget for split in suite.splits.values()] == [12, 20]
    assert suite.playing("other").environment.budget == 20


def test_all_of_all_axes_where_no_grid_is_given(file):
    cells = load_suite(file).cells
    assert len(cells) == 2 * 2 * 2
    assert [cell.name for cell in cells[:4]] == ["token_kd/small/3", "sad/small/3", "token_kd/small/4", "sad/small/4"]


def test_grids_add_up_and_no_cell_comes_twice(file):
    change = (
        'grids=[{sizes=["small"]}, {methods=["sad"], seeds=[3]}, {methods=["sad"], sizes=["small"], data=[5, "all"]}]'
    )
    cells = load_suite(file, [change]).cells
    assert len(cells) == len(set(cells)) == 4 + 1 + 2
    assert Cell("sad", "small", 3, 5).name == "sad/small/3-5"
    assert Cell("sad", "small", 3, 5) in cells


def test_a_method_can_be_left_out(file):
    assert list(load_suite(file, ["methods.sad=none"]).methods) == ["token_kd"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "methods.sad.objective.redaction=x",
            r"unknown key 'methods.sad.objective.redaction'; did you mean 'reduction'",
        ),
        ("sizes.small.layer=2", r"unknown key 'sizes.small.layer'; did you mean 'layers'"),
        ("splits.seen.evaluat={}", r"unknown key 'splits.seen.evaluat'; did you mean 'evaluate'"),
        ("recipe.evaluat.limit=2", r"unknown key 'recipe.evaluat'; did you mean 'evaluate'"),
        ("seed=[1]", r"unknown key 'seed'; did you mean 'seeds'"),
        ("grids=[{method=['sad']}]", r"unknown key 'grids.0.method'; did you mean 'methods'"),
        ("grids=[{methods=['sap']}]", r"grids.0.methods: there is no 'sap'; did you mean 'sad'"),
        ("main_size=smal", r"main_size: there is no 'smal'; did you mean 'small'"),
        ("baseline=sft", r"baseline: there is no 'sft'.*Known: token_kd, sad"),
        ("seeds=[]", r"seeds: a suite needs at least one"),
        ("seeds=[-1]", r"seeds.0: .*greater than or equal to 0"),
        ("grids=[{data=[0]}]", r"grids.0.data.0.*greater than or equal to 1"),
        ("sizes=none", r"sizes: expected a table, found 'none'"),
        ("methods.sad=3", r"methods.sad: .*found 3"),
        ("base=nowhere.toml", r"nowhere.toml: the recipe cannot be read"),
        ("base=3", r"base: expected the name of a recipe, found 3"),
        ("methods.a/b={objective={method='sft'}}", r"methods: a name is made of letters.*'a/b'"),
        (
            "splits.seen={evaluate={constrained=true},environment={name='webshop'}}",
            r"splits.seen: .*webshop does not list",
        ),
        ("recipe.data=x.jsonl", r"recipe.data: a suite plays games"),
        ("recipe.students.pretraining={}", r"recipe.students.pretraining: a suite starts its students"),
    ],
)
def test_wrong_changes_name_the_key(file, change, message):
    with pytest.raises(ConfigError, match=message):
        load_suite(file, [change])


def test_a_method_that_does_not_fit_the_recipe_is_named(file):
    changes = ["recipe.teacher.source=cache", "recipe.teacher.signals.variant=sampled"]
    changes += ["methods.sad.objective.act.divergence=reverse_kl"]
    with pytest.raises(ConfigError, match=r"students.methods.sad: sampled signals are unbiased for forward_kl"):
        load_suite(file, changes)


@pytest.mark.parametrize("path", sorted(path for path in RECIPES.glob("*.toml") if path.stem != "methods"))
@pytest.mark.parametrize("smoke", [False, True])
def test_suites_that_come_with_spanwise(path, smoke):
    suite = load_suite(path, smoke=smoke)
    assert {cell.method for cell in suite.cells} == set(suite.methods)
    assert {cell.size for cell in suite.cells} == set(suite.sizes)
    assert type(suite).model_validate(suite.model_dump(mode="json")) == suite
    assert (suite.recipe.environment.name == "toy") == smoke


def test_in_small_every_method_keeps_what_it_minimises():
    whole, small = (load_suite(RECIPES / "alfworld.toml", smoke=smoke) for smoke in (False, True))
    assert {name: one.objective for name, one in small.methods.items()} == {
        name: one.objective for name, one in whole.methods.items()
    }
    assert {name: one.curriculum for name, one in small.methods.items()} == {
        name: one.curriculum for name, one in whole.methods.items()
    }
    assert {one.max_steps for one in small.methods.values()} == {6}
    assert small.recipe.teacher.source == whole.recipe.teacher.source


def test_in_small_commands_are_constrained_where_they_are() -> None:
    small = load_suite(RECIPES / "small.toml", smoke=True)
    assert small.constrained("unseen") == "constrained"
    assert small.constrained("constrained") is None


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"holds no suite.json; expected the run directory of a suite"):
        read_suite(tmp_path)
    (tmp_path / "suite.json").write_text('{"suite": {}}')
    with pytest.raises(RunDirectoryError, match=r"suite.json: its suite cannot be read"):
        read_suite(tmp_path)


@pytest.mark.parametrize("name", ["alfworld", "webshop", "hotpotqa"])
def test_a_short_suite_goes_on_with_the_teacher_of_the_long_one(name, tmp_path):
    long, short = (load_suite(RECIPES / f"{one}.toml") for one in (name, f"{name}_short"))
    with RunDirectory.open(tmp_path, long.teaching()):
        pass
    with RunDirectory.open(tmp_path, short.teaching()) as again:
        assert again.manifest["name"] == long.name
    assert short.recipe.teacher == long.recipe.teacher
    assert short.recipe.environment == long.recipe.environment
    for split in short.splits.keys() & long.splits.keys():
        assert short.splits[split] == long.splits[split]
