"""What a wrong recipe says."""

import pytest

from spanwise.errors import ConfigError
from spanwise.recipes import load_recipe

SAD = "students.methods.sad.training.objective"


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        'name = "r"\n[teacher.training]\nepochs = 2.0\n[students.methods.sad.training.objective]\nmethod = "sad"\n'
    )
    return path


def test_overrides_and_overlays(recipe, tmp_path) -> None:
    overlay = tmp_path / "o.toml"
    overlay.write_text('extends = "r.toml"\nseed = 3\n[teacher.training]\nlog_every = 5\n')
    loaded = load_recipe(overlay, ["students.methods.sad.training.objective.act.weight=2.0", "evaluate.split=train"])
    assert (loaded.name, loaded.seed) == ("r", 3)
    assert (loaded.teacher.training.epochs, loaded.teacher.training.log_every) == (2.0, 5)
    assert loaded.students.methods["sad"].training.objective.act.weight == 2.0
    assert loaded.evaluate.split == "train"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("teacher.training.epoch=2", r"unknown key 'teacher.training.epoch'; did you mean 'epochs'"),
        ("evaluat.split=x", r"unknown key 'evaluat'; did you mean 'evaluate'"),
        ("students.methods.sad.training.objective.redaction=x", r"did you mean 'reduction'"),
        ("seed=many", r"seed: .*integer.*'many'"),
        ("teacher.training.epochs=-1.0", r"teacher.training.epochs: .*greater than 0.*-1"),
        ("seed", r"expected dotted.key=value"),
        ("students.methods.expert.training.epochs=1.0", r"none of base, expert, teacher"),
        ("teacher.training.objective.reduction=span_mean", r"reduction has no meaning for the method sft"),
        ("teacher.training.objective.act.weight=2.0", r"act has no meaning for the method sft"),
        ("students.methods.kd.training.objective={method='token_kd', act={weight=2.0}}", r"act.weight has no meaning"),
        ("students.methods.kd.training.objective={method='token_kd', reason={temperature=2.0}}", r"reason has no mean"),
        ("students.methods.sad.training.objective.act.beta=0.1", r"beta belongs to jsd, found 0.1 for forward_kl"),
        (
            "students.methods.sad.training.objective.act={divergence='cross_entropy', temperature=2.0}",
            r"cross_entropy has no temperature, found 2.0",
        ),
        (
            "students.methods.sad.training.objective={act={weight=0.0}, reason={weight=0.0}}",
            r"both 0, so nothing would be learnt",
        ),
        (
            "teacher.training.curriculum.pacing=competence",
            r"gamma = 1.0 weighs a teacher's entropy.*set curriculum.gam",
        ),
        (
            "students.methods.sad.training.objective.act={divergence='jsd', alpha=0.3}",
            r"alpha belongs to the skew divergences, found 0.3 for jsd",
        ),
        (
            "students.methods.sad.training.objective.act={divergence='skew_forward_kl', alpha=1.0}",
            r"alpha: .*less than 1",
        ),
        (
            f"{SAD}={{method='sad', segmentation='none', reason={{temperature=2.0}}}}",
            r"reason has no meaning where seg",
        ),
        (f"{SAD}={{method='sad', segmentation='none', act={{weight=2.0}}}}", r"act.weight has no meaning where segmen"),
        (f"{SAD}={{method='sad', segmentation='random', decisions=2.0}}", r"decisions are of ACT spans, found"),
        (f"{SAD}={{method='sad', segmentation='both'}}", r"segmentation: .*'spans', 'none' or 'random'.*'both'"),
        (f"{SAD}={{method='token_kd', segmentation='none'}}", r"segmentation has no meaning for the method token_kd"),
        (f"{SAD}={{method='token_kd', decisions=2.0}}", r"decisions has no meaning for the method token_kd"),
        (f"{SAD}={{method='sft', act={{gate=0.5}}}}", r"act has no meaning for the method sft"),
        (f"{SAD}={{method='sad', decisions=2.0, act={{weight=0.0}}}}", r"decisions = 2.0 weighs tokens whose act.weig"),
        (f"{SAD}={{method='sad', reason={{weight=0.0, gate=0.5}}}}", r"reason.gate = 0.5 weighs tokens whose weight"),
        (f"{SAD}.act={{gate=1.5}}", r"gate: .*less than or equal to 1.*1.5"),
        (f"{SAD}={{method='sad', foretells=2.0, reason={{weight=0.0}}}}", r"foretells = 2.0 weighs tokens whose reaso"),
        (f"{SAD}={{method='sad', segmentation='random', foretells=2.0}}", r"foretells are of REASON spans, found"),
        (f"{SAD}={{method='sad', fade=0.5}}", r"fade = 0.5, and there is nothing to fade"),
        (f"{SAD}={{method='language_model', context=0.5}}", r"context has no meaning for the method language_model"),
        ("students.methods.sad.training.on_policy.after=1.0", r"on_policy.after: .*less than 1"),
        ("students.methods.sft.training={max_steps=9, on_policy={limit=3}}", r"on_policy needs an objective that asks"),
        ("teacher.training={max_steps=9, objective={method='token_kd'}, on_policy={limit=3}}", r"only students have a"),
        (f"{SAD}={{method='sft', attention=1.0}}", r"attention is a teacher's.*found the method sft"),
        (
            f"{SAD}={{method='language_model', attention=1.0}}",
            r"attention is a teacher's.*found the method langu",
        ),
        (f"{SAD}={{method='sad', attention=-1.0}}", r"attention: .*greater than or equal to 0"),
        (f"{SAD}={{method='sad', attention_layers='all'}}", r"attention_layers = 'all', and attention has no weight"),
        (f"{SAD}.act={{focus=0.5}}", r"focus is 0, or 1 and more, found 0.5"),
        (f"{SAD}.act={{hard=1.0}}", r"hard: .*less than 1.*1.0"),
        (f"{SAD}.act={{divergence='cross_entropy', hard=0.5}}", r"hard mixes cross-entropy into a divergence"),
        ("environment.rendering=chat", r'rendering = "chat" needs a chat template: name a model .* teacher.model.path'),
        ("environment.rendering=markdown", r"environment.rendering: .*'plain' or 'chat'.*'markdown'"),
        ("teacher.source=disk", r"teacher.source: .*'online' or 'cache'.*'disk'"),
        ("teacher.signals.most=256", r"teacher.signals.most: .*less than or equal to 255.*256"),
        ("teacher.signals.mass=0.0", r"teacher.signals.mass: .*greater than 0"),
        ("teacher.signals.draw=3", r"unknown key 'teacher.signals.draw'; did you mean 'draws'"),
    ],
)
def test_wrong_changes_name_the_key(recipe, change, message) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe(recipe, [change])


def test_files_that_cannot_be_read(recipe, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: the recipe cannot be read"):
        load_recipe(tmp_path / "nowhere.toml")
    recipe.write_text("name = \n")
    with pytest.raises(ConfigError, match=r"r.toml: not valid TOML.*line 1"):
        load_recipe(recipe)
    recipe.write_text('extends = "r.toml"\n')
    with pytest.raises(ConfigError, match="extends itself"):
        load_recipe(recipe)


@pytest.mark.parametrize("divergence", ["skew_forward_kl", "skew_reverse_kl"])
def test_alpha_is_for_skew_divergences(recipe, divergence) -> None:
    act = f"students.methods.sad.training.objective.act={{divergence='{divergence}', alpha=0.3}}"
    assert load_recipe(recipe, [act]).students.methods["sad"].training.objective.act.alpha == 0.3


SAMPLED = ["teacher.source=cache", "teacher.signals.variant=sampled"]


@pytest.mark.parametrize(
    "term",
    [
        "act={divergence='reverse_kl'}",
        "reason={divergence='jsd'}",
        "act={temperature=2.0}",
        "act.divergence=jsd",
        "reason={focus=1.0}",
    ],
)
def test_a_sample_is_refused_where_it_would_be_biased(recipe, term) -> None:
    change = f"students.methods.sad.training.objective.{term}"
    with pytest.raises(ConfigError, match=r"methods.sad: sampled signals are unbiased for forward_kl .*\"adaptive\""):
        load_recipe(recipe, [*SAMPLED, change])
    load_recipe(recipe, [change, *SAMPLED[1:]])  # an online teacher is not sampled
    load_recipe(recipe, [change, *SAMPLED[:1]])


def test_a_sample_is_taken_where_it_is_unbiased(recipe) -> None:
    load_recipe(recipe, SAMPLED)
    mixed = "students.methods.sad.training.objective.reason={divergence='cross_entropy', focus=2.0}"
    load_recipe(recipe, [*SAMPLED, mixed, "students.methods.sft.training.epochs=1.0"])


def test_attention_is_kept_of_the_layers_that_students_ask_for(recipe) -> None:
    def kept(*objectives: str) -> str | None:
        named = (f"students.methods.m{place}.training={training}" for place, training in enumerate(objectives))
        return load_recipe(recipe, ["students.methods.sad=none", *named]).kept_attention

    last = "{objective={method='token_kd', attention=1.0}}"
    deep = "{objective={method='token_kd', attention=1.0, attention_layers='all'}}"
    plays = "{objective={method='token_kd', attention=1.0}, max_steps=9, on_policy={limit=3}}"
    assert kept("{objective={method='token_kd'}}", plays) is None  # where a student got to, a cache knows nothing
    assert kept(plays, last) == "last"
    assert kept(last, deep) == "all"


def test_settings_that_came_later_are_written_where_they_are_used_alone(recipe) -> None:
    """So that what older runs depended on reads as it did."""
    plain = load_recipe(recipe).students.methods["sad"].training.objective.model_dump()
    assert plain.keys() == {"method", "reason", "act", "reduction"}
    assert plain["act"].keys() == {"divergence", "weight", "temperature", "beta", "alpha"}
    changes = [f"{SAD}.act.gate=0.5", f"{SAD}.reason.hard=0.1", f"{SAD}.decisions=2.0"]
    changes += [f"{SAD}.foretells=2.0", f"{SAD}.act.focus=1.0", f"{SAD}.fade=0.5", f"{SAD}.context=0.5"]
    changes += [f"{SAD}.attention=1.0", f"{SAD}.attention_layers=all"]
    plays = ["students.methods.sad.training.max_steps=9", "students.methods.sad.training.on_policy.limit=3"]
    for chosen in (changes, plays):
        changed = load_recipe(recipe, chosen)
        assert type(changed).model_validate(changed.model_dump()) == changed


def test_attention_alone_needs_a_teacher(recipe) -> None:
    terms = "reason={divergence='cross_entropy'}, act={divergence='cross_entropy'}"
    objective = load_recipe(recipe, [f"{SAD}={{method='sad', {terms}, attention=1.0}}"]).students.methods["sad"]
    assert objective.training.objective.needs_teacher


def test_a_gate_alone_needs_a_teacher(recipe) -> None:
    terms = "reason={divergence='cross_entropy'}, act={divergence='cross_entropy'%s}"
    for gate, asked in (("", False), (", gate=0.5", True)):
        change = f"{SAD}={{method='sad', {terms % gate}}}"
        assert load_recipe(recipe, [change]).students.methods["sad"].training.objective.needs_teacher == asked
