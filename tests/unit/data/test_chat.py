"""Thoughts and tool calls as chat templates write them: where they stand, of which kind, and what is refused."""

from dataclasses import replace

import pytest

from spanwise.data.render import ChatRendering, preamble_of
from spanwise.data.tokenize import prompt_ids, tokenize_samples, tokenize_trajectory
from spanwise.errors import TokenizationError
from spanwise.traces.segment import segment
from spanwise.traces.tool_text import ToolCall, ToolMessage, completion_parts, write_responses
from spanwise.types import SpanKind, Step, Trajectory

TOOLS = (
    {"type": "function", "function": {"name": "look", "description": "Looks <|im_end|> ahead.", "parameters": {}}},
)
LOOK = ToolCall("look", {"place": 'box "2"', "far": True})


def said(reasoning: str | None, content: str, *calls: ToolCall) -> str:
    return "".join(text for _, text in completion_parts(ToolMessage(reasoning, content, calls)))


def make(*turns: tuple[str, str], style: str = "tools", **more) -> Trajectory:
    steps = tuple(Step(seen, text, None, segment(text, style).spans) for seen, text in turns)
    return Trajectory("t", "t", "toy", "expert", 0, "", steps, 1.0, True, "success", {"style": style}, **more)


def pieces(row, tokenizer, kind: SpanKind, step: int = 0) -> str:
    return tokenizer.decode(row.target_ids[(row.kind == kind) & (row.step == step)])


def read(row, tokenizer) -> str:
    return tokenizer.decode([int(row.input_ids[0]), *row.target_ids])


ASKED = ("Where is it?", said(None, "", LOOK))
TOLD = (write_responses(["in the <|im_end|> box"]), said(None, "In the box."))


def test_qwen_writes_calls_and_answers_as_the_text_has_them(family_tokenizer) -> None:
    tokenizer = family_tokenizer("qwen2_5")
    trajectory = make(("Where is it?", said("Box 2?", "I look.", LOOK, LOOK)), TOLD, tools=TOOLS)
    row = tokenize_trajectory(trajectory, tokenizer, ChatRendering(tokenizer))
    assert pieces(row, tokenizer, SpanKind.REASON) == "<think>\nBox 2?\n</think>\n\nI look.\n"
    assert pieces(row, tokenizer, SpanKind.ACT) == said(None, "", LOOK, LOOK) + "<|im_end|>"
    whole = read(row, tokenizer)
    assert (
        '<tools>\n{"type": "function", "function": {"name": "look", "description": "Looks <|im_end|> ahead."' in whole
    )
    assert "<|im_start|>user\n<tool_response>\nin the <|im_end|> box\n</tool_response><|im_end|>\n" in whole
    ends = int((row.target_ids == tokenizer.eos_token_id).sum())
    assert ends == 5, "what tools say and are cannot end a turn: there is the system's, two of each side"


def test_a_thought_before_calls_alone_is_as_the_text_has_it(family_tokenizer) -> None:
    for family in ("chatml", "qwen2_5", "qwen3"):
        tokenizer = family_tokenizer(family)
        text = said("Box 2?", "", LOOK)
        trajectory = make(("Where is it?", text), tools=TOOLS)
        row = tokenize_trajectory(trajectory, tokenizer, ChatRendering(tokenizer))
        assert pieces(row, tokenizer, SpanKind.REASON) == "<think>\nBox 2?\n</think>\n\n"
        assert pieces(row, tokenizer, SpanKind.ACT) == said(None, "", LOOK) + "<|im_end|>"


def test_llama_writes_calls_with_parameters_and_answers_in_quotes(family_tokenizer) -> None:
    tokenizer = family_tokenizer("llama3")
    chat, trajectory = ChatRendering(tokenizer), make(ASKED, TOLD, tools=TOOLS, system="Be good.")
    row = tokenize_trajectory(trajectory, tokenizer, chat)
    call = r'{"name": "look", "parameters": {"place": "box \"2\"", "far": true}}'
    assert pieces(row, tokenizer, SpanKind.ACT) == call + "<|eot_id|>"
    assert pieces(row, tokenizer, SpanKind.REASON) == ""
    assert pieces(row, tokenizer, SpanKind.ACT, 1) == "In the box.<|eot_id|>"
    assert 'ipython<|end_header_id|>\n\n"in the <|im_end|> box"<|eot_id|>' in read(row, tokenizer)
    assert chat.completion(trajectory.steps[:1], preamble_of(trajectory)).text == call
    without = tokenize_trajectory(replace(trajectory, tools=None), tokenizer, chat)
    assert pieces(without, tokenizer, SpanKind.ACT) == call + "<|eot_id|>"
    assert "Given the following functions" in read(row, tokenizer)
    assert "Given the following functions" not in read(without, tokenizer)


def test_what_llama_leaves_out_is_an_error(family_tokenizer) -> None:
    tokenizer = family_tokenizer("llama3")
    for text, fault in (
        (said(None, "I look.", LOOK), "leaves out the text beside tool calls"),
        (said("Hm.", "", LOOK), "leaves out the thought of a completion"),
        (said(None, "", LOOK, LOOK), "cannot render 4 messages: This model only supports single tool-calls at once!"),
    ):
        with pytest.raises(TokenizationError, match=f"^trajectory 't', step 1: llama3: the chat template {fault}"):
            tokenize_samples(make(ASKED, (TOLD[0], text)), tokenizer, ChatRendering(tokenizer))


def test_deepseek_writes_calls_by_special_tokens(family_tokenizer) -> None:
    tokenizer = family_tokenizer("deepseek")
    trajectory = make(("Where is it?", said("Box 2?", "I look.", LOOK, ToolCall("go", {"to": "<｜User｜>"}))), TOLD)
    first, *_ = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
    assert pieces(first, tokenizer, SpanKind.REASON) == "Box 2?\n</think>\n\nI look."
    act = first.target_ids[(first.kind == SpanKind.ACT) & (first.step == 0)].tolist()
    assert tokenizer.decode(act) == (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n"
        '{"place": "box \\"2\\"", "far": true}\n```<｜tool▁call▁end｜>\n'
        '<｜tool▁call▁begin｜>function<｜tool▁sep｜>go\n```json\n{"to": "<｜User｜>"}\n```<｜tool▁call▁end｜>'
        "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
    )
    assert act[:2] == tokenizer.convert_tokens_to_ids(["<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"])
    assert tokenizer.convert_tokens_to_ids("<｜User｜>") not in act, "what the agent says is no special token"


def test_deepseek_cannot_call_again_after_an_answer(family_tokenizer) -> None:
    tokenizer = family_tokenizer("deepseek")
    with pytest.raises(
        TokenizationError, match=r"'t', step 1: deepseek: .* does not begin an answer as its prompt ends"
    ):
        tokenize_samples(make(ASKED, (TOLD[0], ASKED[1])), tokenizer, ChatRendering(tokenizer))


def test_without_a_form_for_calls_they_are_text(family_tokenizer) -> None:
    for family, end in (("gemma", "<end_of_turn>"), ("smollm2", "<|im_end|>")):
        tokenizer = family_tokenizer(family)
        row = tokenize_trajectory(make(ASKED, TOLD, tools=TOOLS), tokenizer, ChatRendering(tokenizer))
        assert pieces(row, tokenizer, SpanKind.ACT) == ASKED[1] + end
        assert "user\n" + TOLD[0] in read(row, tokenizer)
        assert "Looks" not in read(row, tokenizer)


def test_calls_are_text_where_the_style_does_not_say_so(family_tokenizer) -> None:
    tokenizer = family_tokenizer("llama3")
    row = tokenize_trajectory(make(ASKED, TOLD, style="tags", tools=TOOLS), tokenizer, ChatRendering(tokenizer))
    assert pieces(row, tokenizer, SpanKind.ACT) == ASKED[1] + "<|eot_id|>"
    assert "Looks" not in read(row, tokenizer)


@pytest.mark.parametrize("style", ["tools", "tags"])
def test_a_thought_that_the_prompt_opens_is_not_opened_again(family_tokenizer, style) -> None:
    tokenizer = family_tokenizer("deepseek")
    full, opened = "<think>\nBox 2?\n</think>\n\nopen it", "Box 2?\n</think>\n\nopen it"
    for text in (full, opened):
        trajectory = make(("You see box 2.", text), ("It is open.", text), style=style)
        rows = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
        assert [row.id for row in rows] == ["t@0", "t@1"]
        for index, row in enumerate(rows):
            assert pieces(row, tokenizer, SpanKind.REASON, index) == "Box 2?\n</think>\n\n"
            assert pieces(row, tokenizer, SpanKind.ACT, index) == "open it<｜end▁of▁sentence｜>"
            prompt = tokenizer.decode(row.input_ids[: row.kind.tolist().index(SpanKind.REASON) + 1])
            assert prompt.endswith("<｜Assistant｜><think>\n")
        assert "<｜Assistant｜>\n\nopen it<｜end▁of▁sentence｜><｜User｜>It is open." in read(rows[1], tokenizer)


def test_a_thought_that_the_prompt_opens_is_closed_where_there_is_none(family_tokenizer) -> None:
    tokenizer = family_tokenizer("deepseek")
    trajectory = make(("You see box 2.", "Action: open it"), style="react")
    (row,) = tokenize_samples(trajectory, tokenizer, ChatRendering(tokenizer))
    assert pieces(row, tokenizer, SpanKind.REASON) == "\n</think>\n\n"
    assert pieces(row, tokenizer, SpanKind.ACT) == "Action: open it<｜end▁of▁sentence｜>"


#: As Qwen3.5's: the prompt opens the thought, and every answer has one.
OPENS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% if m.role == 'assistant' %}"
    "{{ '<think>\\n' + (m.reasoning_content or '') | trim + '\\n</think>\\n\\n' }}{% endif %}"
    "{{ m.content | trim + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}"
)


def test_what_the_prompt_has_of_a_thought_is_context(make_chat_tokenizer) -> None:
    tokenizer = make_chat_tokenizer(["Hm. stop"], OPENS)
    turns = [("Go.", " <think> Hm. </think> stop"), ("Go on.", "stop")]
    row = tokenize_trajectory(make(*turns, style="tools"), tokenizer, ChatRendering(tokenizer))
    assert pieces(row, tokenizer, SpanKind.REASON, 0) == "Hm.\n</think>\n\n"
    assert pieces(row, tokenizer, SpanKind.ACT, 0) == "stop<|im_end|>"
    assert pieces(row, tokenizer, SpanKind.REASON, 1) == "\n</think>\n\n"
    assert read(row, tokenizer).count("<think>") == 2
    opens_otherwise = OPENS.replace("{{ '<think>\\n' +", "{{ '<think>' +").replace("'\\n</think>", "'</think>")
    tokenizer = make_chat_tokenizer(["Hm. stop"], opens_otherwise)
    rows = tokenize_samples(make(*turns), tokenizer, ChatRendering(tokenizer))
    assert [row.id for row in rows] == ["t@0", "t@1"]
    assert read(rows[0], tokenizer).endswith("assistant\n<think>\nHm.</think>\n\nstop<|im_end|>")
    assert pieces(rows[0], tokenizer, SpanKind.REASON, 0) == "Hm.</think>\n\n"
    assert pieces(rows[1], tokenizer, SpanKind.REASON, 1) == "</think>\n\n"
    assert "assistant\n<think>Hm.</think>\n\nstop<|im_end|>\n" in read(rows[1], tokenizer)


def test_qwen3_forgets_thoughts_before_the_last_question_only(family_tokenizer) -> None:
    tokenizer = family_tokenizer("qwen3")
    chat = ChatRendering(tokenizer)
    first = ("Where is it?", said("Box 2?", "", LOOK))
    again = make(first, (TOLD[0], said("Hm.", "", LOOK)), (TOLD[0], said("So.", "In the box.")), tools=TOOLS)
    row = tokenize_trajectory(again, tokenizer, chat)
    for index, thought in enumerate(("Box 2?", "Hm.", "So.")):
        assert pieces(row, tokenizer, SpanKind.REASON, index) == f"<think>\n{thought}\n</think>\n\n"
    asked = make(first, (TOLD[0], said("So.", "In the box.")), ("Thanks.", said("Fine.", "Welcome.")), tools=TOOLS)
    rows = tokenize_samples(asked, tokenizer, chat)
    assert [row.id for row in rows] == ["t@0", "t@1", "t@2"]
    assert "Box 2?" in read(rows[1], tokenizer)
    assert "Box 2?" not in read(rows[2], tokenizer)
    assert pieces(rows[2], tokenizer, SpanKind.REASON, 2) == "<think>\nFine.\n</think>\n\n"


def test_qwen3_writes_an_empty_thought(family_tokenizer) -> None:
    tokenizer = family_tokenizer("qwen3")
    for text, style, act in (("Thought: x.\nAction: y", "react", "Action: y"), (ASKED[1], "tools", ASKED[1])):
        (row,) = tokenize_samples(make(("Go.", text), style=style), tokenizer, ChatRendering(tokenizer))
        reason = "<think>\n\n</think>\n\n" + text.removesuffix(act)
        assert pieces(row, tokenizer, SpanKind.REASON) == reason
        assert pieces(row, tokenizer, SpanKind.ACT) == act + "<|im_end|>"


def test_generated_ids_are_never_written_anew(family_tokenizer) -> None:
    for family in ("llama3", "qwen3", "deepseek"):
        tokenizer = family_tokenizer(family)
        chat = ChatRendering(tokenizer)
        ids = (*tokenizer.encode(ASKED[1]), chat.ends(tokenizer)[0])
        trajectory = make(ASKED, TOLD)
        trajectory = replace(trajectory, steps=(replace(trajectory.steps[0], token_ids=ids), trajectory.steps[1]))
        rows = tokenize_samples(trajectory, tokenizer, chat)
        assert tuple(rows[0].target_ids[(rows[0].kind != SpanKind.CONTEXT) & (rows[0].step == 0)]) == ids
        seen, told = trajectory.steps[1].observation, preamble_of(trajectory)
        prompt = prompt_ids(trajectory.steps[:1], seen, tokenizer, chat, told)
        last = rows[-1]
        assert [int(last.input_ids[0]), *last.target_ids][: len(prompt)] == prompt
        assert (last.kind[len(prompt) - 1 :] != SpanKind.CONTEXT).all()


def test_a_template_must_write_all_of_a_call(make_chat_tokenizer) -> None:
    writes = (
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content }}{% for c in m.tool_calls or [] %}"
        "{{ '\\n' + c.function.name + ' ' }}{% for k, v in c.function.arguments.items() %}"
        "{{ k + ' ' + (v | string)[:20] + ' ' }}{% endfor %}{% endfor %}"
        "{{ '<|pad|>\\n' if m.tool_calls else '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    tokenizer = make_chat_tokenizer(["look place box"], writes)
    chat = ChatRendering(tokenizer)
    row = tokenize_trajectory(make(("Go.", said(None, "I look.\n", LOOK)), ("Yes?", "Yes.")), tokenizer, chat)
    assert pieces(row, tokenizer, SpanKind.REASON) == "I look.\n"
    assert pieces(row, tokenizer, SpanKind.ACT) == 'look place box "2" far True <|pad|>'  # calls end in their own way
    assert pieces(row, tokenizer, SpanKind.ACT, 1) == "Yes.<|im_end|>"
    long = ToolCall("look", {"place": "the box in the corner behind the door"})
    with pytest.raises(TokenizationError, match=r"step 0: .* leaves out 'the box in the corner behind the door' of a"):
        tokenize_trajectory(make(("Go.", said(None, "", long))), tokenizer, chat)


def test_answers_name_their_calls_and_words_after_them_are_the_users(make_chat_tokenizer) -> None:
    names = (
        "{% for m in messages %}{{ '[' + [m.role, m.name, m.tool_call_id] | select | join(' ') + ']' + m.content }}"
        "{% for c in m.tool_calls or [] %}{{ '(' + c.id + c.function.name + (c.function.arguments | tojson) + ')' }}"
        "{% endfor %}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    tokenizer = make_chat_tokenizer(["look place box"], names)
    two = said(None, "", ToolCall("look", {}), ToolCall("go", {}))
    trajectory = make(("Go.", two), (write_responses(["a", "b"]) + "\nHurry.", "Yes."))
    whole = read(tokenize_trajectory(trajectory, tokenizer, ChatRendering(tokenizer)), tokenizer)
    assert whole == (
        "[user]Go.<|im_end|>[assistant](000000000look{})(000000001go{})<|im_end|>"
        "[tool look 000000000]a<|im_end|>[tool go 000000001]b<|im_end|>[user]Hurry.<|im_end|>[assistant]Yes.<|im_end|>"
    )
