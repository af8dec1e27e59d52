"""Logs made of random words: what was put in comes out, and no text whatever breaks a reader."""

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from spanwise.errors import TraceError
from spanwise.traces.bodies import find_bodies
from spanwise.traces.formats import FORMATS, detect
from spanwise.traces.formats.transcript import tile
from spanwise.traces.importing import ImportOptions, ImportSummary, import_traces
from spanwise.traces.raw import Body
from spanwise.traces.segment import segment
from spanwise.traces.tool_text import ToolCall, ToolMessage, completion_parts, read_completion, read_responses
from spanwise.types import SpanKind

#: Fragments that readers look for, so that random text holds some of them.
FRAGMENTS = [
    *(
        "Thought 1: ",
        "Action 1: ",
        "Observation 1: ",
        "Thought 2: ",
        "Action: ",
        "Thought: ",
        "Observation: ",
        "Question: ",
    ),
    *(
        "Action: reset",
        "Action: click[x]",
        "> think: ",
        "> go",
        "You are in the middle of a room.",
        "Your task is to: x",
    ),
    *("BEGIN TRIAL 1\n", "--- BEGIN CORRECT AGENTS ---", "Environment #1:\n", "STATUS: OK", "1 0.5 0.0 0.0", "-----"),
    *("<think>", "</think>", "<search>", "</search>", "<information>", "</information>", "<answer>", "</answer>"),
    *("<|im_start|>assistant\n", "<|im_start|>user\n", "<|im_end|>", "<｜User｜>", "<｜Assistant｜>", "<tool_call>"),
    *("<|start|>assistant", "<|channel|>analysis", "<|message|>", "<|end|>", " to=functions.f", "<|constrain|>json"),
    *("```py\n", "```", "Code:\n", "<end_code>", "<code>", "</code>", "Action Input: ", "Final Answer: ", "Answer: "),
    *("\n", "\n\n", "\r\n", " ", "\t", "\u2028", "é", "🔑", "{", "[", '"'),
]
noise = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=30).map("".join)
#: Words of one line, in which no reader finds a marker.
words = (
    st.text("abc xyz 🔑é,.'<>[]:", min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda text: text and text[0] not in ">[:<")
)
episodes = st.lists(st.tuples(words, words, words), min_size=1, max_size=6)
KEYS = [
    *("role", "content", "from", "value", "message", "messages", "conversations", "steps", "action", "thought", "loss"),
    *("observation", "traj", "output", "text", "type", "tool_calls", "function", "name", "arguments", "input"),
    *("prompt", "response", "turn_history", "actions", "source", "step_id", "results", "history", "args", "win"),
]
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), noise),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


def imported(value, options=None):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        text = value if isinstance(value, str) else json.dumps(value)
        path.write_bytes(text.encode("utf-8", "replace"))
        return list(import_traces([path], options or ImportOptions(), ImportSummary()))


@given(noise)
def test_the_segments_of_a_transcript_tile_it(text):
    segments = tile(text)
    assert [one.start for one in segments] == [0, *(one.end for one in segments[:-1])]
    assert segments[-1].end == len(text)
    assert all(one.start <= one.begun <= one.end for one in segments)


@pytest.mark.parametrize("name", FORMATS)
@given(value=st.one_of(noise, json_values))
@example(value={"input": "Thought 1: Thought 1: ", "response": "Thought 1: "})
@settings(max_examples=150)
def test_no_value_breaks_a_reader_and_completions_are_parts_of_what_was_written(name, value):
    for body in find_bodies(value):
        if FORMATS[name].evidence(body) is None:
            continue
        for episode in FORMATS[name].episodes(body):
            for turn in episode.turns:
                if turn.parts is not None:
                    assert "".join(text for _, text in turn.parts) == turn.completion
                elif isinstance(body.value, str) and name != "alfworld" and "steps" not in name:
                    # A prompt that ends in a label ("Thought 1:") begins what the agent completed.
                    assert any(turn.completion in body.prompt + joint + body.value for joint in ("", "\n"))


@given(st.one_of(noise, json_values))
@settings(max_examples=300)
def test_any_file_is_read_or_refused_in_words(value):
    with contextlib.suppress(TraceError):
        trajectories = imported(value)
        assert_partitions(trajectories)


def assert_partitions(trajectories):
    for trajectory in trajectories:
        for step in trajectory.steps:
            joined = "".join(step.completion[span.start : span.end] for span in step.spans)
            assert joined == step.completion


def written(steps, style):
    """The text of an episode, and the completions in it."""
    if style == "numbered":
        said = [f"Thought {n}: {t}\nAction {n}: {a}" for n, (t, a, _) in enumerate(steps, 1)]
        return "Question: q\n" + "".join(
            f"{one}\nObservation {n}: {steps[n - 1][2]}\n" for n, one in enumerate(said, 1)
        ), said
    if style == "plain":
        said = [f"Thought: {t}\nAction: {a}" for t, a, _ in steps]
        return "".join(f"{one}\nObservation: {steps[n][2]}\n" for n, one in enumerate(said)), said
    if style == "game":
        said = [f"> think: {t}\n> {a}" for t, a, _ in steps]
        opening = "You are in the middle of a room.\nYour task is to: x\n"
        return opening + "".join(f"{one}\n{steps[n][2]}\n" for n, one in enumerate(said)), said
    if style == "tags":
        said = [f"<think>{t}</think><search>{a}</search>" for t, a, _ in steps]
        return "".join(f"{one}\n<information>{steps[n][2]}</information>\n" for n, one in enumerate(said)), said
    said = [f"Thought: {t}\nCode:\n```py\n{a}\n```<end_code>" for t, a, _ in steps]
    return "".join(f"{one}\nObservation: {steps[n][2]}\n" for n, one in enumerate(said)), said


@pytest.mark.parametrize("style", ["numbered", "plain", "game", "tags", "code"])
@given(steps=episodes)
def test_what_was_put_in_comes_out(style, steps):
    if style in ("tags", "game"):
        steps = [tuple(word.translate({60: "(", 62: ")"}) for word in step) for step in steps]
    assume(not any(action.lower().startswith("think") for _, action, _ in steps))
    text, said = written(steps, style)
    (trajectory,) = imported(text)
    assert [step.completion for step in trajectory.steps] == said
    assert [step.action for step in trajectory.steps] == [action for _, action, _ in steps]
    heard = [*(step.observation for step in trajectory.steps[1:]), trajectory.final_observation]
    expected = [f"<information>{seen}</information>" if style == "tags" else seen for _, _, seen in steps]
    assert heard == expected
    for step, (thought, _, _) in zip(trajectory.steps, steps, strict=True):
        assert thought in step.text(SpanKind.REASON)
        assert thought not in step.text(SpanKind.ACT) or thought in step.action or len(thought) < 5


@given(steps=episodes, seen=noise)
def test_an_observation_in_a_message_is_never_learnt(steps, seen):
    secret = f"{seen}\nSECRET"
    messages = [{"role": "user", "content": f"q {secret}"}]
    for thought, action, _ in steps:
        said = f"Thought: {thought}\nAction: {action}\nObservation: {secret}"
        messages += [{"role": "assistant", "content": said}, {"role": "user", "content": f"Observation: {secret}"}]
    for trajectory in imported({"messages": messages}):
        for step in trajectory.steps:
            assert "SECRET" not in step.completion or not step.supervised


arguments = st.dictionaries(
    st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=10), st.booleans()), max_size=3
)
calls = st.lists(st.builds(ToolCall, st.text("abc_", min_size=1, max_size=8), arguments), max_size=3).map(tuple)
contents = st.text("ab c\n🔑", max_size=20).map(str.strip)


@given(reasoning=st.none() | contents.filter(bool), content=contents, calls=calls)
def test_tool_messages_survive_their_text(reasoning, content, calls):
    message = ToolMessage(reasoning, content, calls)
    parts = completion_parts(message)
    text = "".join(part for _, part in parts)
    assert read_completion(text) == message
    if text:
        cut = segment(text, "tools")
        merged = [text[span.start : span.end] for span in cut.spans if span.kind is SpanKind.ACT]
        assert "".join(merged) == "".join(part for kind, part in parts if kind is SpanKind.ACT)


@given(responses=st.lists(contents, max_size=4), rest=st.sampled_from(["", "and now?"]))
def test_tool_responses_survive_their_text(responses, rest):
    from spanwise.traces.tool_text import write_responses

    text = write_responses(responses) + (f"\n{rest}" if rest and responses else rest)
    assert read_responses(text) == (responses, rest)


@given(noise)
def test_detection_tells_why(text):
    for body in (Body(text, "", {}),):
        found = detect(body)
        assert found is None or (found[0] in FORMATS and found[1])


@pytest.mark.parametrize("blank", ["\n", " ", "\t", " \n", "\r\n"])
@pytest.mark.parametrize(
    "wrap", [lambda text: text, lambda text: [{"role": "user", "content": "q"}, {"role": "assistant", "content": text}]]
)
def test_many_blanks_are_no_trouble(blank, wrap):
    # Time in proportion to length: what takes its square would not end within the limit of a test.
    text = f"Question: q\nThought 1: a{blank * 300_000}\nAction 1: b{blank * 300_000}"
    (trajectory,) = imported(wrap(text))
    assert trajectory.steps[-1].action == "b"
