"""Formats that are lists: of messages in any shape, of strings, of steps."""

import json

import pytest
from tests.unit.traces.cases import import_value, turns

from spanwise.traces.importing import ImportOptions

TOOLS = [{"type": "function", "function": {"name": "go", "parameters": {"type": "object"}}}]
CALL = '<tool_call>\n{"name": "go", "arguments": {"to": "box 1"}}\n</tool_call>'


def only(tmp_path, value, options=None):
    (trajectory,) = import_value(tmp_path, value, options)
    return trajectory


def call(arguments):
    return {"id": "c", "type": "function", "function": {"name": "go", "arguments": arguments}}


@pytest.mark.parametrize("arguments", [{"to": "box 1"}, '{"to": "box 1"}'], ids=["object", "string"])
@pytest.mark.parametrize("role", ["assistant", "agent"])
def test_openai_calls(tmp_path, arguments, role):
    record = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Find the key."},
            {"role": role, "content": "I go there.", "tool_calls": [call(arguments)], "tool_call_id": None},
            {"role": "tool", "tool_call_id": "c", "content": "It is here.", "tool_calls": None},
            {"role": role, "content": "", "tool_calls": [call(arguments), call(arguments)]},
            {"role": "tool", "content": "a"},
            {"role": "tool", "content": "b"},
            {"role": role, "content": "Found."},
        ],
        "tools": TOOLS,
        "reward": 1.0,
    }
    trajectory = only(tmp_path, record)
    assert turns(trajectory) == [
        ("Find the key.", [("REASON", "I go there.\n"), ("ACT", CALL)]),
        ("<tool_response>\nIt is here.\n</tool_response>", [("ACT", f"{CALL}\n{CALL}")]),
        (
            "<tool_response>\na\n</tool_response>\n<tool_response>\nb\n</tool_response>",
            [("ACT", "Found.")],
        ),
    ]
    assert trajectory.steps[0].action == '{"name": "go", "arguments": {"to": "box 1"}}'
    assert trajectory.steps[1].action.count("\n") == 1
    assert (trajectory.system, trajectory.tools, trajectory.success) == ("Be brief.", tuple(TOOLS), True)


def test_a_call_whose_arguments_are_no_json_keeps_them_as_they_are(tmp_path):
    trajectory = only(
        tmp_path,
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call('{"to":')]}]},
    )
    assert json.loads(trajectory.steps[0].action)["arguments"] == '{"to":'


def test_content_that_mentions_a_call_stays_a_thought_where_the_log_has_structures(tmp_path):
    content = "I write <tool_call> next.</think>"
    trajectory = only(
        tmp_path,
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": content, "tool_calls": [call({"to": "box 1"})]},
            ]
        },
    )
    assert turns(trajectory)[0][1] == [("REASON", content + "\n"), ("ACT", CALL)]


def test_anthropic_blocks(tmp_path):
    record = {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Find the key."},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Box 1?", "signature": "x"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t", "name": "go", "input": {"to": "box 1"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "Here."}]}
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Found."}]},
        ],
    }
    trajectory = only(tmp_path, record)
    assert trajectory.metadata["format"] == "anthropic"
    assert turns(trajectory) == [
        ("Find the key.", [("REASON", "<think>\nBox 1?\n</think>\n\nI look.\n"), ("ACT", CALL)]),
        ("<tool_response>\nHere.\n</tool_response>", [("ACT", "Found.")]),
    ]
    assert trajectory.system == "Be brief."


def test_reasoning_content_is_a_thought(tmp_path):
    trajectory = only(
        tmp_path,
        {
            "messages": [
                {"role": "user", "content": "2+2?"},
                {"role": "assistant", "reasoning_content": "Four.", "content": "4"},
            ]
        },
    )
    assert turns(trajectory)[0][1] == [("REASON", "<think>\nFour.\n</think>\n\n"), ("ACT", "4")]


def test_sharegpt_with_an_acknowledgement_and_loss_flags(tmp_path):
    record = {
        "id": "alfworld_12",
        "conversations": [
            {"from": "human", "value": "Interact with a household. Give Thought and Action.", "loss": None},
            {"from": "gpt", "value": "OK. I'll follow your instructions.", "loss": False},
            {"from": "human", "value": "You are in a room.\nYour task is to: put a key in box 1."},
            {"from": "gpt", "value": "Thought: Box 1.\nAction: go to box 1", "loss": True},
            {"from": "human", "value": "Observation: It is closed."},
            {"from": "gpt", "value": "Action: shake box 1", "loss": False},
            {"from": "human", "value": "Observation: Nothing happens."},
        ],
    }
    trajectory = only(tmp_path, record)
    assert trajectory.system == "Interact with a household. Give Thought and Action."
    assert turns(trajectory) == [
        (
            "You are in a room.\nYour task is to: put a key in box 1.",
            [("REASON", "Thought: Box 1.\n"), ("ACT", "Action: go to box 1")],
        ),
        ("Observation: It is closed.", [("ACT", "Action: shake box 1")]),
    ]
    assert [step.supervised for step in trajectory.steps] == [True, False]
    assert trajectory.task == "put a key in box 1."
    assert trajectory.metadata["source_id"] == "alfworld_12"


def test_examples_in_a_conversation_are_not_the_episode(tmp_path):
    messages = [
        {"role": "user", "content": "Play the game. Here is one example."},
        {"role": "assistant", "content": "THOUGHT: x\n ACTION: look"},
        {"role": "user", "content": "You see a lamp."},
        {"role": "assistant", "content": "ACTION: take lamp"},
        {"role": "user", "content": "Here is your task. You are in a room. Your task is to: find a key."},
        {"role": "assistant", "content": "THOUGHT: y\n ACTION: go to box 1"},
    ]
    trajectory = only(tmp_path, messages)
    assert [spans for _, spans in turns(trajectory)] == [[("REASON", "THOUGHT: y\n "), ("ACT", "ACTION: go to box 1")]]
    assert trajectory.metadata["prompt_turns"] == 2


def test_agentbench_strings(tmp_path):
    trajectory = only(tmp_path, ["THOUGHT: I go.\n ACTION: go to box 1\n", "It is closed.\n", "ACTION: open box 1\n"])
    assert turns(trajectory) == [
        ("", [("REASON", "THOUGHT: I go.\n "), ("ACT", "ACTION: go to box 1")]),
        ("It is closed.", [("ACT", "ACTION: open box 1")]),
    ]


def test_agentbench_runs(tmp_path):
    history = [
        {"role": "user", "content": "You are in a room. Your task is to: find it."},
        {"role": "agent", "content": "Thought:\nHere.\n\nAction:\ntake it"},
        {"role": "user", "content": "Done."},
    ]
    record = {"index": 3, "output": {"status": "completed", "result": {"success": 1}, "history": history}}
    trajectory = only(tmp_path, record)
    assert turns(trajectory)[0][1] == [("REASON", "Thought:\nHere.\n\n"), ("ACT", "Action:\ntake it")]
    assert (trajectory.steps[0].action, trajectory.success) == ("take it", True)


def test_swift_calls_are_messages_of_their_own(tmp_path):
    record = {
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "I look."},
            {"role": "tool_call", "content": '{"name": "go", "arguments": {"to": "box 1"}}'},
            {"role": "tool_response", "content": "Here."},
            {"role": "assistant", "content": "Found."},
        ]
    }
    assert turns(only(tmp_path, record)) == [
        ("q", [("REASON", "I look.\n"), ("ACT", CALL)]),
        ("<tool_response>\nHere.\n</tool_response>", [("ACT", "Found.")]),
    ]


@pytest.mark.parametrize("policy", ["cut", "drop"])
def test_an_observation_that_the_agent_made_up_is_never_learnt(tmp_path, policy):
    said = "Thought: a\nAction: look\nObservation: made up\nThought: b\nAction: go"
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": "Observation: real"},
        {"role": "assistant", "content": "Thought: c\nAction: stop"},
    ]
    trajectory = only(tmp_path, {"messages": messages}, ImportOptions(made_up=policy))
    learnt = [step.completion for step in trajectory.steps if step.supervised]
    assert not any("made up" in text for text in learnt)
    assert trajectory.steps[0].completion == ("Thought: a\nAction: look" if policy == "cut" else said)
    assert trajectory.steps[0].supervised == (policy == "cut")


def test_a_whole_transcript_in_one_message_is_read_as_one(tmp_path):
    said = "Thought: a\nAction: search[x]\nObservation: X.\nThought: b\nAction: finish[y]\n"
    said += "Observation: Episode finished, reward = True\n"
    record = {"conversations": [{"from": "human", "value": "what?"}, {"from": "gpt", "value": said}]}
    trajectory = only(tmp_path, record)
    assert [observation for observation, _ in turns(trajectory)] == ["what?", "X."]
    assert trajectory.success is True


def test_steps_with_the_models_own_text(tmp_path):
    record = {
        "trajectory": [
            {"response": "I list.\n```\nls\n```", "thought": "I list.", "action": "ls", "observation": "a.py"},
            {
                "response": "I open.\n```\nopen a.py\n```",
                "thought": "I open.",
                "action": "open a.py",
                "observation": "1",
            },
        ],
        "info": {"resolved": False},
    }
    trajectory = only(tmp_path, record)
    assert turns(trajectory)[1] == ("a.py", [("REASON", "I open.\n"), ("ACT", "```\nopen a.py\n```")])
    assert (trajectory.success, trajectory.final_observation) == (False, "1")


def test_steps_without_it_and_pairs_and_columns(tmp_path):
    steps = {"question": "q", "steps": [{"thought": "t", "action": "look", "observation": "o"}, {"action": "go"}]}
    assert turns(only(tmp_path, steps)) == [
        ("q", [("REASON", "Thought: t\n"), ("ACT", "Action: look")]),
        ("o", [("ACT", "Action: go")]),
    ]
    pairs = {
        "input": "q",
        "intermediate_steps": [
            [{"tool": "find", "tool_input": "x", "log": "Thought: t\nAction: find\nAction Input: x"}, "o"]
        ],
    }
    assert turns(only(tmp_path, pairs)) == [
        ("q", [("REASON", "Thought: t\n"), ("ACT", "Action: find\nAction Input: x")])
    ]
    columns = {
        "query": "q",
        "turn_history": {"thoughts": ["t"], "actions": ["look"], "observations": ["o"], "rewards": [0]},
    }
    assert turns(only(tmp_path, columns)) == [("q", [("REASON", "Thought: t\n"), ("ACT", "Action: look")])]


def gpt(text):
    return {"from": "gpt", "value": text}


def human(text):
    return {"role": "user", "content": text}


GEMINI = {
    "contents": [
        {"role": "user", "parts": [{"text": "q"}]},
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"text": "I look."},
                {"functionCall": {"name": "go", "args": {"to": "box 1"}}},
            ],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "go", "response": "Here."}}]},
        {"role": "model", "parts": [{"text": "Found."}]},
    ]
}
BEDROCK = {
    "messages": [
        {"role": "user", "content": [{"text": "q"}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                {"text": "I look."},
                {"toolUse": {"toolUseId": "t", "name": "go", "input": {"to": "box 1"}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "Here."}]}}]},
        {"role": "assistant", "content": [{"text": "Found."}]},
    ]
}
LANGCHAIN = {
    "messages": [
        {"type": "human", "content": "q"},
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {
                "content": "I look.",
                "tool_calls": [{"name": "go", "args": {"to": "box 1"}, "id": "c"}],
                "additional_kwargs": {},
                "reasoning_content": "hm",
            },
        },
        {"type": "tool", "content": "Here.", "tool_call_id": "c"},
        {"type": "ai", "content": "Found."},
    ]
}
RESPONSES = {
    "messages": [
        human("q"),
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "name": "go", "arguments": '{"to": "box 1"}', "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": "Here."},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Found."}]},
    ]
}


@pytest.mark.parametrize(
    "record", [GEMINI, BEDROCK, LANGCHAIN, RESPONSES], ids=["gemini", "bedrock", "langchain", "responses"]
)
def test_the_same_conversation_in_the_shapes_of_other_providers(tmp_path, record):
    assert turns(only(tmp_path, record)) == [
        ("q", [("REASON", "<think>\nhm\n</think>\n\nI look.\n"), ("ACT", CALL)]),
        ("<tool_response>\nHere.\n</tool_response>", [("ACT", "Found.")]),
    ]


def test_agent_data_protocol(tmp_path):
    content = [
        {"class_": "text_observation", "source": "user", "content": "q"},
        {"class_": "api_action", "function": "go", "kwargs": {"to": "box 1"}, "description": "I look."},
        {"class_": "text_observation", "source": "environment", "content": "Here."},
        {"class_": "code_action", "language": "bash", "content": "ls", "description": None},
        {"class_": "message_action", "content": "Found.", "description": "hm"},
    ]
    trajectory = only(tmp_path, {"id": "x", "content": content, "details": {}})
    assert turns(trajectory) == [
        ("q", [("REASON", "I look.\n"), ("ACT", CALL)]),
        ("Here.", [("ACT", '<tool_call>\n{"name": "bash", "arguments": {"code": "ls"}}\n</tool_call>')]),
        ("", [("REASON", "<think>\nhm\n</think>\n\n"), ("ACT", "Found.")]),
    ]


def test_openhands_events(tmp_path):
    events = [
        {"id": 0, "source": "user", "action": "message", "args": {"content": "q"}},
        {"id": 1, "source": "agent", "action": "run", "args": {"command": "ls", "thought": "I look.", "hidden": False}},
        {"id": 2, "source": "agent", "observation": "run", "content": "a.txt"},
        {"id": 3, "source": "agent", "action": "message", "args": {"content": "Found."}},
    ]
    assert turns(only(tmp_path, {"history": events})) == [
        (
            "q",
            [
                ("REASON", "I look.\n"),
                ("ACT", '<tool_call>\n{"name": "run", "arguments": {"command": "ls"}}\n</tool_call>'),
            ],
        ),
        ("<tool_response>\na.txt\n</tool_response>", [("ACT", "Found.")]),
    ]


def test_a_tool_to_think_with_is_a_thought(tmp_path):
    thinking = {"id": "c", "type": "function", "function": {"name": "think", "arguments": '{"thought": "hm"}'}}
    messages = [human("q"), {"role": "assistant", "content": None, "tool_calls": [thinking]}]
    messages += [{"role": "tool", "content": ""}, {"role": "assistant", "content": "Found."}]
    trajectory = only(tmp_path, {"messages": messages})
    assert [kind for _, spans in turns(trajectory) for kind, _ in spans] == ["REASON", "ACT"]


def test_a_thought_that_a_server_gives_twice_is_kept_once(tmp_path):
    said = {"role": "assistant", "reasoning_content": "hm", "content": "<think>\nhm\n</think>\n\nFound."}
    assert turns(only(tmp_path, [human("q"), said]))[0][1] == [
        ("REASON", "<think>\nhm\n</think>\n\n"),
        ("ACT", "Found."),
    ]


def test_webarena_announces_its_command(tmp_path):
    said = "Let's think step-by-step. I buy. In summary, the next action I will perform is ```click [12]```"
    trajectory = only(tmp_path, [human("q"), {"role": "assistant", "content": said}])
    assert turns(trajectory)[0][1][1] == ("ACT", "In summary, the next action I will perform is ```click [12]```")
    assert trajectory.steps[0].action == "click [12]"


def test_labels_in_a_program_are_not_labels(tmp_path):
    code = "```py\nprint('''\nObservation: x\nAction: y\n''')\n```"
    messages = [human("q"), {"role": "assistant", "content": f"Thought: I print.\nCode:\n{code}<end_code>"}]
    trajectory = only(tmp_path, messages)
    assert turns(trajectory)[0][1] == [("REASON", "Thought: I print.\n"), ("ACT", f"Code:\n{code}<end_code>")]


def test_an_answer_that_reports_an_observation_is_not_made_up(tmp_path):
    said = "Report:\nObservation: the page says 1."
    trajectory = only(
        tmp_path,
        {
            "messages": [
                human("q"),
                {"role": "assistant", "tool_calls": [call({"to": "box 1"})]},
                {"role": "tool", "content": "1"},
                {"role": "assistant", "content": said},
            ]
        },
    )
    assert trajectory.steps[1].completion == said


def test_results_in_the_only_message_of_a_rollout(tmp_path):
    said = "<think>a</think><search>b</search><information>c <answer>no</answer></information><answer>d</answer>"
    trajectory = only(tmp_path, [human("q"), {"role": "assistant", "content": said}])
    assert [step.action for step in trajectory.steps] == ["b", "d"]


def test_a_game_that_begins_again_in_a_conversation_leaves_its_examples_behind(tmp_path):
    opening = "You are in the middle of a room.\nYour task is to: "
    messages = []
    for goal in ("example", "real"):
        messages += [human(opening + goal), {"role": "assistant", "content": "Thought: t\nAction: look"}]
        messages += [human("a lamp"), {"role": "assistant", "content": "Action: use lamp"}, human("done")]
    trajectory = only(tmp_path, messages)
    assert (trajectory.task, len(trajectory.steps)) == ("real", 2)


def test_pairs_of_a_chat_are_what_was_seen_and_said(tmp_path):
    record = {"history": [["which key?", "Thought: t\nAction: look"], ["a lamp", "Thought: u\nAction: go"]]}
    assert [(seen, spans[-1]) for seen, spans in turns(only(tmp_path, record))] == [
        ("which key?", ("ACT", "Action: look")),
        ("a lamp", ("ACT", "Action: go")),
    ]


@pytest.mark.parametrize(
    "steps",
    [
        [{"observation": "a", "action": "x"}, {"observation": "b", "action": "y"}],
        [{"state": "a", "action": "x", "next_state": "b"}, {"state": "b", "action": "y", "next_state": "c"}],
        [{"prompt": "a", "response": "Action: x"}, {"prompt": "b", "response": "Action: y"}],
    ],
    ids=["observation first", "states", "prompt and response"],
)
def test_steps_that_hold_what_they_answer(tmp_path, steps):
    trajectory = only(tmp_path, {"steps": steps})
    assert [(step.observation, step.action) for step in trajectory.steps] == [("a", "x"), ("b", "y")]


def test_a_preferred_answer_is_the_episode(tmp_path):
    asked = [{"from": "human", "value": "play"}, {"from": "gpt", "value": "OK"}, {"from": "human", "value": "a key?"}]
    chosen = [{"from": "gpt", "value": "Thought: t\nAction: look"}]
    rejected = [{"from": "gpt", "value": "Thought: bad\nAction: bad"}]
    trajectory = only(tmp_path, {"prompt": asked, "chosen": chosen, "rejected": rejected})
    assert [step.action for step in trajectory.steps] == ["look"]
    assert trajectory.system == "play"


def test_examples_beside_a_whole_transcript_are_not_episodes(tmp_path):
    example = "Question: x\nThought 1: t\nAction 1: Finish[x]\nObservation 1: ok\n"
    said = "Thought 1: r\nAction 1: Search[y]\nObservation 1: o\nThought 2: s\nAction 2: Finish[z]\n"
    messages = [
        {"role": "system", "content": f"Solve it.\n{example}"},
        human("real?"),
        {"role": "assistant", "content": said},
    ]
    trajectory = only(tmp_path, {"messages": messages})
    assert [step.action for step in trajectory.steps] == ["Search[y]", "Finish[z]"]
    assert trajectory.steps[0].observation == "real?"


def test_thoughts_and_commands_as_json(tmp_path):
    said = {"role": "assistant", "content": '{"thought": "near", "action": "look"}'}
    assert turns(only(tmp_path, [human("q"), said]))[0][1] == [
        ("REASON", '{"thought": "near", '),
        ("ACT", '"action": "look"}'),
    ]


def test_instructions_as_blocks_and_schemas_of_other_makers(tmp_path):
    record = {
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "go", "description": "Goes.", "input_schema": {"type": "object"}}],
        "messages": [human("q"), {"role": "assistant", "content": [{"type": "tool_use", "name": "go", "input": {}}]}],
    }
    trajectory = only(tmp_path, record)
    assert trajectory.system == "Be brief."
    schema = {"name": "go", "description": "Goes.", "parameters": {"type": "object"}}
    assert trajectory.tools == ({"type": "function", "function": schema},)


def test_pairs_of_openhands_events(tmp_path):
    nothing = {"observation": "null", "content": ""}
    run = {"source": "agent", "action": "run", "args": {"command": "ls", "thought": "I look."}}
    asked = {"source": "user", "action": "message", "args": {"content": "q"}}
    done = {"source": "agent", "action": "finish", "args": {"thought": "Done."}}
    pairs = [[asked, nothing], [run, {"observation": "run", "content": "a.txt"}], [done, nothing]]
    trajectory = only(tmp_path, {"history": pairs, "test_result": {"report": {"resolved": True}}})
    assert [step.observation for step in trajectory.steps] == ["q", "<tool_response>\na.txt\n</tool_response>"]
    assert (trajectory.final_observation, trajectory.success) == (None, True)


def test_swe_agents_history_holds_the_task_and_its_calls(tmp_path):
    view = {"function": {"name": "view", "arguments": '{"path": "a"}'}, "id": "c", "type": "function"}
    record = {
        "trajectory": [{"action": "view a", "observation": "text", "response": "I look.", "thought": "I look."}],
        "history": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "A demonstration.", "is_demo": True},
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "I look.", "thought": "I look.", "action": "view a", "tool_calls": [view]},
            {"role": "tool", "content": [{"type": "text", "text": "text"}], "tool_call_ids": ["c"]},
        ],
        "info": {"exit_status": "submitted"},
    }
    trajectory = only(tmp_path, record)
    call = '<tool_call>\n{"name": "view", "arguments": {"path": "a"}}\n</tool_call>'
    assert turns(trajectory) == [("q", [("REASON", "I look.\n"), ("ACT", call)])]
    assert trajectory.system == "Be brief.\n\nA demonstration."


def test_code_that_smolagents_repeat_as_a_call_is_said_once(tmp_path):
    code = "Thought: t\nCode:\n```py\nlook('a')\n```<end_code>"
    call = [{"id": "c", "type": "function", "function": {"name": "python_interpreter", "arguments": "look('a')"}}]
    messages = [
        human("q"),
        {"role": "assistant", "content": code},
        {"role": "tool-call", "content": [{"type": "text", "text": f"Calling tools:\n{call}"}]},
        {"role": "tool-response", "content": "Observation: nothing"},
    ]
    trajectory = only(tmp_path, {"messages": messages})
    assert [step.completion for step in trajectory.steps] == [code]
    assert trajectory.steps[0].action == "look('a')"


def test_toolbench_keeps_each_rollout_as_far_as_it_went(tmp_path):
    call = {"name": "go", "arguments": '{"to": "box 1"}'}
    first = [human("q"), {"role": "assistant", "content": "I go.", "function_call": call}]
    answered = [*first, {"role": "function", "name": "go", "content": "o"}, {"role": "assistant", "content": "Found."}]
    record = {"win": True, "tree": {"size": 2}, "answer_generation": {"train_messages": [first, answered]}}
    trajectory = only(tmp_path, record)
    assert [step.action for step in trajectory.steps] == ['{"name": "go", "arguments": {"to": "box 1"}}', "Found."]
    assert trajectory.success is True


@pytest.mark.parametrize("key", ["prompt", "messages"])
def test_a_conversation_beside_its_answer(tmp_path, key):
    trajectory = only(tmp_path, {key: [human("q")], "response": "<think>t</think>\nyes", "score": 1})
    assert turns(trajectory) == [("q", [("REASON", "<think>t</think>\n"), ("ACT", "yes")])]
    assert trajectory.success is True


def test_a_thought_that_never_ended_is_no_answer(tmp_path):
    trajectory = only(tmp_path, [human("q"), {"role": "assistant", "content": "<think>I wonder"}])
    assert turns(trajectory) == [("q", [("REASON", "<think>I wonder")])]
    assert trajectory.steps[0].action is None


def test_commands_of_a_text_game_in_messages(tmp_path):
    said = [
        {"role": "assistant", "content": "> go to box 1"},
        human("Nothing."),
        {"role": "assistant", "content": "> open it"},
    ]
    assert [step.action for step in only(tmp_path, [human("q"), *said]).steps] == ["go to box 1", "open it"]


def test_atif_steps(tmp_path):
    call = {"tool_call_id": "c", "function_name": "go", "arguments": {"to": "box 1"}}
    results = [{"source_call_id": "c", "content": "o"}, {"source_call_id": "d", "content": None}]
    record = {
        "schema_version": "ATIF-v1.5",
        "session_id": "s",
        "agent": {"name": "a", "version": "1", "model_name": "m", "tool_definitions": TOOLS},
        "steps": [
            {"step_id": 1, "source": "system", "message": "Be brief."},
            {"step_id": 2, "source": "user", "message": "q"},
            {
                **{
                    "step_id": 3,
                    "source": "agent",
                    "message": "",
                    "reasoning_content": "near",
                    "tool_calls": [call] * 2,
                },
                "observation": {"results": results},
            },
            {"step_id": 4, "source": "agent", "message": "Found.", "is_copied_context": True},
        ],
    }
    trajectory = only(tmp_path, record)
    assert turns(trajectory) == [
        ("q", [("REASON", "<think>\nnear\n</think>\n\n"), ("ACT", f"{CALL}\n{CALL}")]),
        ("<tool_response>\no\n</tool_response>\n<tool_response>\n\n</tool_response>", [("ACT", "Found.")]),
    ]
    assert [step.supervised for step in trajectory.steps] == [True, False]
    assert (trajectory.system, trajectory.tools, trajectory.agent) == ("Be brief.", tuple(TOOLS), "m")


def test_harmony_inside_a_message(tmp_path):
    said = "<|channel|>analysis<|message|>t<|end|><|start|>assistant<|channel|>final<|message|>yes"
    trajectory = only(tmp_path, [human("q"), {"role": "assistant", "content": said}])
    assert turns(trajectory) == [("q", [("REASON", "<think>\nt\n</think>\n\n"), ("ACT", "yes")])]


def test_instructions_that_were_understood_are_not_the_episode(tmp_path):
    messages = [human("Answer questions about a graph."), gpt("I've understood your instruction, start please.")]
    messages += [human("q"), gpt("Thought: t\nAction: get_relations(a)"), human("[b]"), gpt("Final Answer: #1")]
    trajectory = only(tmp_path, {"messages": messages})
    assert [step.observation for step in trajectory.steps] == ["q", "[b]"]
    assert (trajectory.system, trajectory.metadata["prompt_turns"]) == ("Answer questions about a graph.", 1)


def test_an_answer_after_calls_in_tags(tmp_path):
    call = '<function_calls>\n<invoke name="go">\n</invoke>\n</function_calls>'
    messages = [human("q"), gpt(f"I go.\n{call}"), human("<function_results>o</function_results>"), gpt("Found.")]
    trajectory = only(tmp_path, {"conversations": messages})
    assert turns(trajectory)[1][1] == [("ACT", "Found.")]
    assert trajectory.steps[1].action == "Found."


def test_openais_responses_beside_their_input(tmp_path):
    output = [
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "near"}]},
        {"type": "function_call", "call_id": "c", "name": "go", "arguments": '{"to": "box 1"}'},
    ]
    record = {"instructions": "Be brief.", "input": [{"role": "user", "content": "q"}], "output": output}
    trajectory = only(tmp_path, record)
    assert turns(trajectory) == [("q", [("REASON", "<think>\nnear\n</think>\n\n"), ("ACT", CALL)])]
    assert trajectory.system == "Be brief."


def test_strings_in_turn_whose_labels_are_numbered(tmp_path):
    strings = ["Question: q", "Thought 1: t\nAction 1: Search[a]", "Observation 1: o", "Action 2: Finish[b]"]
    trajectory = only(tmp_path, {"trajectory": strings})
    assert [step.action for step in trajectory.steps] == ["Search[a]", "Finish[b]"]
    assert trajectory.steps[1].observation == "Observation 1: o"


def test_steps_under_keys_that_count(tmp_path):
    said = {"thought_0": "t", "tool_name_0": "go", "tool_args_0": {"to": "box 1"}, "observation_0": "o"}
    trajectory = only(tmp_path, {"question": "q", "trajectory": {**said, "thought_1": "u", "tool_name_1": "finish"}})
    assert [step.action for step in trajectory.steps] == ['go\nAction Input: {"to": "box 1"}', "finish"]
    assert [step.observation for step in trajectory.steps] == ["q", "o"]


@pytest.mark.parametrize(
    ("last", "expected"),
    [({"reward": 1.0, "done": True}, True), ({"reward": 0, "done": True}, False), ({"reward": 1.0}, None)],
)
def test_the_last_step_tells_the_outcome_if_it_is_the_last(tmp_path, last, expected):
    steps = [{"action": "go", "observation": "o", "reward": 0.0, "done": False}, {"action": "take", **last}]
    assert only(tmp_path, {"task": "q", "steps": steps}).success is expected
    assert only(tmp_path, {"task": "q", "steps": steps, "success": False}).success is False


def test_a_thought_as_a_message_and_a_command_as_the_next(tmp_path):
    messages = [human("q"), gpt("think: near"), human("OK."), gpt("go to box 1")]
    trajectory = only(tmp_path, {"conversations": messages})
    assert [step.action for step in trajectory.steps] == ["think: near", "go to box 1"]
    assert [spans for _, spans in turns(trajectory)] == [[("REASON", "think: near")], [("ACT", "go to box 1")]]


def test_a_tool_that_the_provider_runs_answers_within_the_message(tmp_path):
    blocks = [
        {"type": "text", "text": "I look."},
        {"type": "server_tool_use", "id": "s", "name": "go", "input": {"to": "box 1"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "text", "text": "o"}]},
        {"type": "text", "text": "Found."},
    ]
    assert turns(only(tmp_path, [human("q"), {"role": "assistant", "content": blocks}])) == [
        ("q", [("REASON", "I look.\n"), ("ACT", CALL)]),
        ("<tool_response>\no\n</tool_response>", [("ACT", "Found.")]),
    ]
