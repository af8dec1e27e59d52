"""Whatever is said, by whichever template: what is learnt is what the agent said, as the template writes it."""

import json
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers.convert_slow_tokenizer import bytes_to_unicode

from spanwise.data.render import ChatRendering
from spanwise.data.tokenize import prompt_ids, tokenize_samples
from spanwise.errors import TokenizationError
from spanwise.traces.segment import segment
from spanwise.traces.tool_text import ToolCall, ToolMessage, completion_parts, write_responses
from spanwise.types import Span, SpanKind, Step, Trajectory

WORDS = [
    "Thought:",
    " go to",
    " box 1",
    "\n",
    "Action:",
    " ",
    "🍎",
    "\t",
    "user",
    "<|im_",
    "\u2028",
    "\U0010fffd",
    '"',
    "\\",
]
MARKUP = [
    "<|im_end|>",
    "<|im_end|>\n<|im_start|>assistant\n",
    "<|eot_id|>",
    "<end_of_turn>",
    "<｜Assistant｜>",
    "<bos>",
]
TEXT = st.lists(st.one_of(st.sampled_from(WORDS + MARKUP), st.text(max_size=3)), max_size=6).map("".join)

#: What each template makes of a completion without a marked thought, and what it puts before it.
WRITES = {
    "chatml": ("", lambda text: text),
    "smollm2": ("", lambda text: text),
    "qwen2_5": ("", lambda text: text),
    "llama3": ("", str.strip),
    "gemma": ("", str.strip),
    "qwen3": ("<think>\n\n</think>\n\n", lambda text: text.lstrip("\n")),
    "deepseek": ("\n</think>\n\n", lambda text: text),
}
ENDS = {"llama3": "<|eot_id|>", "gemma": "<end_of_turn>", "deepseek": "<｜end▁of▁sentence｜>"}


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """Steps, their completions cut into spans anywhere, some of them only shown."""
    steps = []
    for index in range(draw(st.integers(1, 3))):
        completion = draw(TEXT)
        borders = draw(st.sets(st.integers(1, len(completion) - 1), max_size=3)) if len(completion) > 1 else set()
        edges = [0, *sorted(borders), len(completion)] if completion else [0]
        kinds = draw(st.permutations([SpanKind.REASON, SpanKind.ACT]))
        spans = tuple(Span(kinds[number % 2], *edge) for number, edge in enumerate(pairwise(edges)))
        supervised = index == 0 or draw(st.booleans())
        steps.append(Step(draw(TEXT), completion, None, spans, supervised=supervised))
    system = draw(st.one_of(st.none(), TEXT))
    return Trajectory("t", "t", "toy", "expert", 0, "", tuple(steps), 0.0, False, "budget", system=system)


def messages(trajectory: Trajectory, steps: int, family: str) -> list[dict[str, str]]:
    """The conversation up to the answer of a step."""
    told = [] if trajectory.system is None else [{"role": "system", "content": trajectory.system}]
    for step in trajectory.steps[: steps + 1]:
        told += [{"role": "user", "content": step.observation}, {"role": "assistant", "content": step.completion}]
    if family == "gemma" and trajectory.system is not None:
        told[:2] = [{"role": "user", "content": f"{trajectory.system}\n\n{told[1]['content']}"}]
    return told[:-1]


def kinds_by_bytes(tokenizer, ids: list[int], kinds: list[SpanKind], text: str) -> list[SpanKind]:
    """The kind of each token: that of the first character it touches that is no space; slow and plain."""
    character_of = [index for index, character in enumerate(text) for _ in character.encode()]
    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    added = {token_id: token.content for token_id, token in tokenizer.added_tokens_decoder.items()}
    found, position = [], 0
    for token_id, token in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
        size = len(added[token_id].encode()) if token_id in added else len([byte_of[one] for one in token])
        touched = character_of[position : position + size]
        found.append(kinds[next((index for index in touched if not text[index].isspace()), touched[0])])
        position += size
    assert position == len(character_of)
    return found


@pytest.mark.parametrize("family", WRITES)
@given(trajectory=trajectories())
def test_what_is_learnt_is_what_was_said_as_the_template_writes_it(family_tokenizer, family, trajectory) -> None:
    tokenizer = family_tokenizer(family)
    rows = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
    wrapper, writes = WRITES[family]
    end = ENDS.get(family, "<|im_end|>")
    by_step = len(rows) > 1 or rows[0].id != "t"
    learnt = [index for index, step in enumerate(trajectory.steps) if step.supervised]
    assert [row.id for row in rows] == ([f"t@{index}" for index in learnt] if by_step else ["t"])
    if family not in ("qwen3", "deepseek"):
        assert not by_step
    for index in learnt:
        step = trajectory.steps[index]
        row = rows[learnt.index(index)] if by_step else rows[0]
        ids, kind = [int(row.input_ids[0]), *row.target_ids.tolist()], [0, *row.kind.tolist()]
        of_step = [at for at in range(len(ids)) if kind[at] and (by_step or row.step[at - 1] == index)]
        assert of_step == list(range(of_step[0], of_step[-1] + 1)), "context stands inside a completion"
        *said, last = [ids[at] for at in of_step]
        text = wrapper + writes(step.completion)
        assert (tokenizer.decode(said), last) == (text, tokenizer.convert_tokens_to_ids(end))
        assert not set(said) & set(tokenizer.all_special_ids)
        shift = len(step.completion) - len(step.completion.lstrip(None if writes is str.strip else "\n"))
        shift = shift if writes(step.completion) != step.completion else 0
        of_character = [SpanKind.REASON] * len(wrapper) + [
            next(span.kind for span in step.spans if span.start <= at + shift < span.end)
            for at in range(len(writes(step.completion)))
        ]
        expected = [*kinds_by_bytes(tokenizer, said, of_character, text), SpanKind.ACT]
        assert [kind[at] for at in of_step] == expected
        # What is read before is what the template writes, its scaffold alone is special, and play reads the same.
        prompt = ids[: of_step[0]]
        spoken = messages(trajectory, index, family)
        assert tokenizer.decode(prompt) == tokenizer.apply_chat_template(
            spoken, tokenize=False, add_generation_prompt=True
        )
        scaffold = tokenizer.apply_chat_template(
            [{**one, "content": "x"} for one in spoken], add_generation_prompt=True, return_dict=False
        )
        special = set(tokenizer.all_special_ids) | {
            one for one, token in tokenizer.added_tokens_decoder.items() if token.special
        }
        assert [one for one in prompt if one in special] == [one for one in scaffold if one in special]
        if trajectory.system is None:
            assert prompt == prompt_ids(trajectory.steps[:index], step.observation, tokenizer, ChatRendering(tokenizer))
    supervised = sum(row.supervised for row in rows)
    assert supervised == sum(int(((row.step == index) & (row.kind != 0)).sum()) for row in rows for index in learnt)


THOUGHT = TEXT.filter(lambda text: text.strip() and "think>" not in text)


@pytest.mark.parametrize("family", ["chatml", "qwen2_5", "qwen3", "deepseek"])
@given(thought=st.one_of(st.none(), THOUGHT), content=TEXT, place=TEXT, answer=TEXT, calls=st.integers(0, 2))
def test_thoughts_and_calls_are_learnt_as_what_they_are(
    family_tokenizer, family, thought, content, place, answer, calls
) -> None:
    tokenizer = family_tokenizer(family)
    message = ToolMessage(thought, content, (ToolCall("look", {"place": place}),) * calls)
    text = "".join(part for _, part in completion_parts(message))
    assume(segment(text, "tools").spans or not text)
    turns = [("Where?", text), (write_responses([answer]), "There.")]
    steps = tuple(Step(seen, said, None, segment(said, "tools").spans) for seen, said in turns)
    tools = ({"type": "function", "function": {"name": "look", "description": answer, "parameters": {}}},)
    trajectory = Trajectory(
        "t", "t", "toy", "e", 0, "", steps, None, None, "unknown", {"style": "tools"}, system=content, tools=tools
    )  # fmt: skip
    rows = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
    row = rows[0]
    first = (row.kind != SpanKind.CONTEXT) & (row.step == 0)
    reason = tokenizer.decode(row.target_ids[first & (row.kind == SpanKind.REASON)])
    act = tokenizer.decode(row.target_ids[first & (row.kind == SpanKind.ACT)])
    if thought is not None:
        assert thought.strip() in reason
        assert "</think>" in reason
    if calls:
        assert content.strip() in reason
        assert act.count(json.dumps(place, ensure_ascii=False)) >= calls
        assert act.count("look") >= calls
        assert act.lstrip().startswith(("<tool_call>", "<｜tool▁calls▁begin｜>"))
    else:
        assert content.strip() in act or not content.strip()
    last = rows[-1]
    said = tokenizer.decode(last.target_ids[(last.kind != SpanKind.CONTEXT) & (last.step == 1)])
    assert said.removeprefix("<think>\n").lstrip("\n").removeprefix("</think>\n\n").startswith("There.<")


@given(trajectory=trajectories())
def test_a_template_that_writes_other_words_is_never_learnt_from(family_tokenizer, trajectory) -> None:
    """Every completion is learnt as it is, but for white space at its edges, or refused."""
    import copy

    tokenizer = copy.deepcopy(family_tokenizer("chatml"))
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "message.content", "message.content | replace('go', 'went')"
    )
    try:
        rows = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
    except TokenizationError:
        assert any("go" in step.completion for step in trajectory.steps)
    else:
        (row,) = rows
        for index, step in enumerate(trajectory.steps):
            chosen = (row.step == index) & (row.kind != SpanKind.CONTEXT)
            if step.supervised:
                assert tokenizer.decode(row.target_ids[chosen]) == step.completion + "<|im_end|>"
