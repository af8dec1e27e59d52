"""An agent reads in play what training reads before the same step, whatever the template does to earlier ones."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from spanwise.agents.huggingface import HuggingFaceAgent
from spanwise.agents.protocol import Completion, History
from spanwise.data.render import PLAIN, ChatRendering
from spanwise.data.tokenize import tokenize_samples
from spanwise.types import Span, SpanKind, Step, Trajectory


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_model(vocabulary: int) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=None,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():  # large weights, so that what the model says depends on what it read
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5)
    return model


def step_of(history: History, completion: Completion, said: str | None = None) -> Step:
    text = completion.text if said is None else said
    spans = (Span(SpanKind.REASON, 0, len(text)),) if text else ()
    return Step(history.observation, text, None, spans, None if said is not None else completion.token_ids)


@pytest.mark.parametrize("family", [None, "chatml", "llama3", "gemma", "qwen3", "deepseek"])
def test_training_and_play_read_the_same_ids(family_tokenizer, monkeypatch, family):
    tokenizer = family_tokenizer(family or "chatml")
    rendering = PLAIN if family is None else ChatRendering(tokenizer)
    model = make_model(len(tokenizer))
    agent = HuggingFaceAgent(model, tokenizer, "m", temperature=1.0, max_new_tokens=10, rendering=rendering)
    read: dict[tuple[int, int], list[int]] = {}
    gather = agent._gather_in_front

    def spy(turns):
        for turn in turns:
            if not turn.token_ids:  # about to be read
                number = next(one for one, session in agent._sessions.items() if session is turn.session)
                read[number, turn.session.turns] = list(turn.session.ids)
        gather(turns)

    monkeypatch.setattr(agent, "_gather_in_front", spy)
    episodes: dict[int, tuple[Step, ...]] = {0: (), 1: ()}
    for turn in range(4):
        histories = [
            History(number, f"task-{number}", 0, steps, "You see " + "box, " * (turn + 3 * number) + ".")
            for number, steps in episodes.items()
        ]
        for history, completion in zip(histories, agent.act(histories), strict=True):
            # In one episode a turn is replaced by words that no model wrote, which the template can write otherwise.
            said = "<think>\nHm.\n</think>\n\nlook " if (history.episode, turn) == (1, 1) else None
            episodes[history.episode] = (*history.steps, step_of(history, completion, said))
    for number, steps in episodes.items():
        trajectory = Trajectory(f"e{number}", "t", "toy", "m", 0, "", steps, 0.0, False, "budget")
        rows = tokenize_samples(trajectory, tokenizer, rendering)
        assert (len(rows) > 1) >= (family == "deepseek" or (family, number) == ("qwen3", 1))
        for index, step in enumerate(steps):
            row = next(row for row in rows if row.id in (f"e{number}", f"e{number}@{index}"))
            ids, kind, at = [int(row.input_ids[0]), *row.target_ids], [0, *row.kind], [0, *row.step]
            first = next(place for place in range(len(ids)) if kind[place] and at[place] == index)
            assert ids[:first] == read[number, index]
            if step.token_ids is not None:
                assert tuple(ids[first : first + len(step.token_ids)]) == step.token_ids


@torch.inference_mode()
def test_what_is_said_is_what_is_said_after_reading_all_anew(family_tokenizer):
    """Where a template forgets thoughts, the cache must, too."""
    tokenizer = family_tokenizer("deepseek")
    chat, model = ChatRendering(tokenizer), make_model(len(tokenizer))
    kept = HuggingFaceAgent(model, tokenizer, "m", max_new_tokens=12, rendering=chat)
    steps: tuple[Step, ...] = ()
    for turn in range(4):
        history = History(0, "t", 0, steps, "You see " + "box, " * turn)
        (completion,) = kept.act([history])
        fresh = HuggingFaceAgent(model, tokenizer, "m", max_new_tokens=12, rendering=chat)
        assert fresh.act([history])[0].token_ids == completion.token_ids
        steps = (*steps, step_of(history, completion))


def test_a_turn_ends_as_the_template_ends_it_or_by_the_end_of_sequence(family_tokenizer, monkeypatch):
    tokenizer = family_tokenizer("llama3")
    agent = HuggingFaceAgent(
        make_model(len(tokenizer)), tokenizer, "m", max_new_tokens=12, rendering=ChatRendering(tokenizer), drafted=0
    )
    script: list[int] = []

    def feed(turns):
        logits = torch.zeros(len(turns), 1, len(tokenizer))
        logits[..., script.pop(0)] = 1.0
        return logits

    monkeypatch.setattr(agent, "_feed", feed)
    word = tokenizer.encode("look")[0]
    for end in ("<|eot_id|>", "<|end_of_text|>"):
        script[:] = [word, tokenizer.convert_tokens_to_ids(end), word]
        (completion,) = agent.act([History(0, "t", 0, (), f"Go until {end}.")])
        assert completion.token_ids == (word, tokenizer.convert_tokens_to_ids(end))
        assert (completion.text, completion.truncated) == (tokenizer.decode([word]), False)
