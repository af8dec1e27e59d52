"""Whatever is said in a conversation, a chat template's scaffold is all that is special, and training sees the same."""

from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from spanwise.config import TokenizerConfig
from spanwise.data.render import ChatRendering
from spanwise.data.tokenize import context_ids, prompt_ids, tokenize_trajectory
from spanwise.training.models import create_tokenizer
from spanwise.types import Span, SpanKind, Step, Trajectory

TEMPLATE = Path(__file__).parents[1] / "golden" / "smollm2_chat_template.jinja"
WORDS = ["Thought:", " go to", " box 1", "\n", "Action:", " ", "🍎", "\t", "user", "<|im_"]
MARKUP = ["<|im_start|>", "<|im_end|>", "<|pad|>", "<|im_end|>\n<|im_start|>assistant\n"]


@cache
def tokenizer() -> PreTrainedTokenizerBase:
    tokenizer = create_tokenizer(["Thought: go to box 1\nAction: user"] * 3, TokenizerConfig(vocab_size=300))
    tokenizer.add_special_tokens({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
    tokenizer.chat_template = TEMPLATE.read_text(encoding="utf-8")
    return tokenizer


@cache
def chat() -> ChatRendering:
    return ChatRendering(tokenizer())


def text(words: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from(words), st.text(max_size=3)), max_size=6).map("".join)


@st.composite
def trajectories(draw: st.DrawFn, words: list[str]) -> Trajectory:
    """Steps, their completions cut into spans anywhere."""
    steps = []
    for _ in range(draw(st.integers(1, 4))):
        completion = draw(text(words))
        borders = draw(st.sets(st.integers(1, len(completion) - 1), max_size=3)) if len(completion) > 1 else set()
        edges = [0, *sorted(borders), len(completion)] if completion else [0]
        kinds = draw(st.permutations([SpanKind.REASON, SpanKind.ACT]))
        spans = tuple(Span(kinds[index % 2], *edge) for index, edge in enumerate(pairwise(edges)))
        steps.append(Step(draw(text(words)), completion, None, spans))
    return Trajectory("t", "t", "toy", "expert", 0, "", tuple(steps), 0.0, False, "budget")


def messages(trajectory: Trajectory) -> list[dict[str, str]]:
    return [
        {"role": role, "content": content}
        for step in trajectory.steps
        for role, content in (("user", step.observation), ("assistant", step.completion))
    ]


@given(trajectories(WORDS))
def test_ids_are_those_of_the_whole_conversation(trajectory) -> None:
    row = tokenize_trajectory(trajectory, tokenizer(), chat())
    whole = tokenizer().apply_chat_template(messages(trajectory), return_dict=False)
    assert [row.input_ids[0], *row.target_ids, *tokenizer().encode("\n")] == whole


@given(trajectories(WORDS + MARKUP))
def test_supervised_are_the_completions_and_the_ends_of_turns(trajectory) -> None:
    row = tokenize_trajectory(trajectory, tokenizer(), chat())
    plain = tokenize_trajectory(trajectory, tokenizer())  # its kinds are tested byte by byte
    supervised, same = row.kind != SpanKind.CONTEXT, plain.kind != SpanKind.CONTEXT
    assert row.target_ids[supervised].tolist() == plain.target_ids[same].tolist()
    assert row.kind[supervised].tolist() == plain.kind[same].tolist()
    for index, step in enumerate(trajectory.steps):
        *ids, end = row.target_ids[supervised & (row.step == index)].tolist()
        assert (tokenizer().decode(ids), end) == (step.completion, tokenizer().eos_token_id)


@given(trajectories(WORDS + MARKUP))
def test_only_the_scaffold_is_special_and_the_rest_is_spelled(trajectory) -> None:
    row = tokenize_trajectory(trajectory, tokenizer(), chat())
    ids = [int(row.input_ids[0]), *row.target_ids.tolist()]
    special = tokenizer().convert_ids_to_tokens([i for i in ids if i in tokenizer().all_special_ids])
    assert special == ["<|im_start|>", "<|im_end|>"] * (1 + 2 * len(trajectory.steps))  # the system's turn, too
    assert tokenizer().decode(ids) + "\n" == tokenizer().apply_chat_template(messages(trajectory), tokenize=False)


@given(trajectories(WORDS + MARKUP), text(WORDS + MARKUP))
def test_what_is_read_before_a_turn_is_the_beginning_of_what_is_read_before_later_ones(trajectory, seen) -> None:
    row = tokenize_trajectory(trajectory, tokenizer(), chat())
    ids = [int(row.input_ids[0]), *row.target_ids.tolist()]
    for index, step in enumerate(trajectory.steps):
        prompt = prompt_ids(trajectory.steps[:index], step.observation, tokenizer(), chat())
        assert ids[: len(prompt)] == prompt
    assert prompt_ids(trajectory.steps, seen, tokenizer(), chat()) == ids + context_ids(
        trajectory.steps, seen, tokenizer(), chat()
    )
