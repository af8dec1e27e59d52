import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from spanwise.agents.experts import make_expert
from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.protocol import History
from spanwise.agents.rollout import EpisodeSpec, RolloutSettings, rollout
from spanwise.config import ArchitectureConfig, EnvironmentConfig, TokenizerConfig
from spanwise.environments import make_task_set
from spanwise.errors import ModelError, RunDirectoryError, TraceError
from spanwise.evaluation.fidelity import read_steps, summarise_steps
from spanwise.evaluation.teacher_forcing import FidelitySettings, measure_fidelity
from spanwise.traces.splits import choose
from spanwise.training.models import create_model, create_tokenizer, load_model, load_tokenizer

SETTINGS = FidelitySettings(max_new_tokens=6)


@pytest.fixture(scope="module")
def trajectories():
    config = EnvironmentConfig(name="toy", workers=0)
    tasks = make_task_set(config)
    specs = [EpisodeSpec(task.task_id, task.task_type, 0) for task in tasks.tasks("train")[:5]]
    return list(rollout(make_expert(config), tasks, specs, RolloutSettings(workers=0)))


@pytest.fixture(scope="module")
def make_model(tmp_path_factory, trajectories):
    def make(seed=0, vocabulary=400, length=512) -> Path:
        texts = [text for one in trajectories for step in one.steps for text in (step.observation, step.completion)]
        tokenizer = create_tokenizer(texts, TokenizerConfig(vocab_size=vocabulary))
        shape = ArchitectureConfig(hidden_size=16, intermediate_size=32, layers=2, heads=2, max_length=length)
        folder = tmp_path_factory.mktemp("model")
        model = create_model(shape, tokenizer, seed)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.ndim > 1 and "embed" not in name:
                    parameter.mul_(50)  # so that what it says depends on what it reads
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


def test_every_supervised_step_has_a_record_from_which_all_follows(make_model, trajectories, tmp_path) -> None:
    model, teacher = make_model(0), make_model(1)
    ticks = []
    found = measure_fidelity(model, trajectories, tmp_path, SETTINGS, "m", teacher, lambda *tick: ticks.append(tick))
    steps = sum(len(one.steps) for one in trajectories)
    assert ticks[0] == (0, steps)
    assert ticks[-1] == (steps, steps)
    records = read_steps(tmp_path / "fidelity.jsonl")
    assert len(records) == found["steps"] == steps
    summary = summarise_steps(records)
    assert {name: found[name] for name in ("metrics", "tasks", "trajectories")} == {
        name: summary[name] for name in ("metrics", "tasks", "trajectories")
    }
    assert found["left_out"] == {**summary["left_out"], "beyond_context": 0}
    assert found["metrics"]["act_kl"]["value"] > 0
    assert found["metrics"]["reason_nll"]["n"] == steps
    by_id = {one.id: one for one in trajectories}
    for record in records:
        step = by_id[record.id].steps[record.step]
        assert record.reference_action == step.action
        assert record.reason_characters + record.act_characters == len(step.completion)
        assert record.styled
    assert json.loads((tmp_path / "fidelity.json").read_text()) == found
    # The same model is no way from itself.
    own = measure_fidelity(model, trajectories, tmp_path / "own", SETTINGS, "m", model)
    assert own["metrics"]["reason_kl"]["value"] == pytest.approx(0, abs=1e-6)


def test_completions_are_those_of_the_agent_that_has_the_history(make_model, trajectories, tmp_path) -> None:
    model = make_model()
    measure_fidelity(model, trajectories, tmp_path, SETTINGS, "m")
    agent = HuggingFaceAgent(load_model(model), load_tokenizer(model), "m", max_new_tokens=SETTINGS.max_new_tokens)
    by_id = {one.id: one for one in trajectories}
    found = read_steps(tmp_path / "fidelity.jsonl")
    for number, record in enumerate(found):
        steps = by_id[record.id].steps
        history = History(number, record.task_id, 0, steps[: record.step], steps[record.step].observation)
        (completion,) = agent.act([history])
        assert (record.completion, record.stopped) == (completion.text, not completion.truncated)
    assert len({record.completion for record in found}) > len(found) / 2  # it does depend on what was read


def test_interrupted_work_goes_on_where_it_stopped(make_model, trajectories, tmp_path) -> None:
    model = make_model()
    whole = measure_fidelity(model, trajectories, tmp_path / "whole", SETTINGS, "m")
    text = (tmp_path / "whole/fidelity.jsonl").read_text()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "settings.json").write_bytes((tmp_path / "whole/settings.json").read_bytes())
    first = len(trajectories[0].steps)
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["id"] == choose(trajectories, None)[0].id]
    following = lines[len(kept)]  # of a trajectory that was not finished, and half a line
    marked = [line.replace('"completion": "', '"completion": "known ') for line in kept]
    (broken / "fidelity.jsonl").write_text("".join(marked) + following + following[:20])
    ticks = []
    measure_fidelity(model, trajectories, broken, SETTINGS, "m", None, lambda *tick: ticks.append(tick))
    assert first > 1
    assert ticks[0][0] == len(kept)
    text_again = (broken / "fidelity.jsonl").read_text()
    assert text_again.count('"completion": "known ') == len(kept)  # these were not done again
    assert text_again.replace('"completion": "known ', '"completion": "') == text
    again = json.loads((broken / "fidelity.json").read_text())
    assert again["metrics"] == whole["metrics"]


def test_other_work_is_refused(make_model, trajectories, tmp_path) -> None:
    model = make_model()
    measure_fidelity(model, trajectories[:1], tmp_path, SETTINGS, "m")
    with pytest.raises(RunDirectoryError, match="different: trajectories"):
        measure_fidelity(model, trajectories[:2], tmp_path, SETTINGS, "m")
    with pytest.raises(RunDirectoryError, match="different: max_new_tokens"):
        measure_fidelity(model, trajectories[:1], tmp_path, replace(SETTINGS, max_new_tokens=5), "m")
    with pytest.raises(RunDirectoryError, match="different: model"):
        measure_fidelity(make_model(1), trajectories[:1], tmp_path, SETTINGS, "m")


def test_a_folder_may_be_named_by_its_content(make_model, trajectories, tmp_path) -> None:
    model = make_model()
    places = {
        measure_fidelity(model, trajectories[:1], tmp_path, settings, "m", named_by_content=True)["provenance"][
            "folder"
        ]
        for settings in (SETTINGS, SETTINGS, replace(SETTINGS, max_new_tokens=5))
    }
    assert {str(one) for one in tmp_path.iterdir()} == places
    assert len(places) == 2


def test_steps_beyond_the_context_are_counted_and_not_judged(make_model, trajectories, tmp_path) -> None:
    model = make_model(length=160)
    found = measure_fidelity(model, trajectories, tmp_path, SETTINGS, "m")
    steps = sum(len(one.steps) for one in trajectories)
    assert 0 < found["steps"] < steps
    assert found["left_out"]["beyond_context"] == steps - found["steps"]
    with pytest.raises(TraceError, match="none of the 5 trajectories has a step"):
        measure_fidelity(make_model(length=8), trajectories, tmp_path / "none", SETTINGS, "m")


def test_what_is_not_supervised_is_only_read(make_model, trajectories, tmp_path) -> None:
    first, *others = trajectories[0].steps
    one = replace(trajectories[0], steps=(replace(first, supervised=False), *others))
    found = measure_fidelity(make_model(), [one], tmp_path, SETTINGS, "m")
    assert found["steps"] == len(others)
    assert {record.step for record in read_steps(tmp_path / "fidelity.jsonl")} == set(range(1, len(others) + 1))


def test_the_trajectorys_own_style_cuts(make_model, trajectories, tmp_path) -> None:
    model = make_model()
    plain = replace(trajectories[0], metadata={"style": "plain"})
    found = measure_fidelity(model, [plain], tmp_path / "plain", SETTINGS, "m")
    assert found["left_out"]["cut_otherwise"] == found["steps"]
    assert found["metrics"]["rouge_l"]["n"] == 0
    with pytest.raises(TraceError, match=r"metadata.style: found 'verse'; there are: react, think"):
        measure_fidelity(model, [replace(plain, metadata={"style": "verse"})], tmp_path / "v", SETTINGS, "m")


def test_another_vocabulary_has_no_divergence(make_model, trajectories, tmp_path) -> None:
    with pytest.raises(ModelError, match="different tokenizers"):
        measure_fidelity(make_model(), trajectories, tmp_path, SETTINGS, "m", make_model(vocabulary=300))


def test_a_limit_is_a_choice_of_its_own(trajectories) -> None:
    chosen = [choose(trajectories, limit) for limit in (1, 3, None)]
    assert [len(one) for one in chosen] == [1, 3, 5]
    ids = [{one.id for one in part} for part in chosen]
    assert ids[0] < ids[1] < ids[2]
    assert choose(trajectories[::-1], 3) == chosen[1]
