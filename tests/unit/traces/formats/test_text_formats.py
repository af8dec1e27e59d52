"""Formats that are text: what is the agent's, what is the environment's, where an episode begins and ends."""

import json

import pytest
from tests.unit.traces.cases import import_value, turns


def only(tmp_path, text):
    (trajectory,) = import_value(tmp_path, text)
    return trajectory


def test_numbered_react(tmp_path):
    trajectory = only(
        tmp_path,
        "Question: Who wrote it?\nThought 1: I look.\nAction 1: Search[It]\nObservation 1: It is a book.\n\nBy King.\n"
        "Thought 2: King.\nIt is him.\nAction 2: Finish[King]\nObservation 2: Episode finished, reward = 1\n",
    )
    assert turns(trajectory) == [
        ("Question: Who wrote it?", [("REASON", "Thought 1: I look.\n"), ("ACT", "Action 1: Search[It]")]),
        (
            "It is a book.\n\nBy King.",
            [("REASON", "Thought 2: King.\nIt is him.\n"), ("ACT", "Action 2: Finish[King]")],
        ),
    ]
    assert [step.action for step in trajectory.steps] == ["Search[It]", "Finish[King]"]
    assert (trajectory.task, trajectory.success, trajectory.reward) == ("Who wrote it?", True, 1.0)
    assert trajectory.final_observation == "Episode finished, reward = 1"
    assert trajectory.metadata["format"] == "react_numbered"


def test_a_marker_with_another_number_is_part_of_the_observation(tmp_path):
    page = "A page.\nAction 7: not a command\nThought 2: nor a thought\nObservation 1: nor this\nQuestion: nor that?"
    trajectory = only(
        tmp_path, f"Question: q\nThought 1: t\nAction 1: Search[a]\nObservation 1: {page}\nAction 2: Finish[b]"
    )
    # Thought 2 is the next number, so it is believed; Action 7, Observation 1 and the question are not.
    assert "Action 7: not a command" in trajectory.steps[1].observation
    assert all("Action 7" not in step.completion for step in trajectory.steps)


def test_several_questions_are_several_episodes_and_instructions_belong_to_each(tmp_path):
    first, second = import_value(
        tmp_path,
        "Decide whether it is true.\nClaim: A.\nAction 1: Search[A]\nObservation 1: a\nAction 2: Finish[SUPPORTS]\n\n"
        "Claim: B.\nThought 1: b\nAction 1: Finish[REFUTES]\n",
    )
    assert [first.task, second.task] == ["A.", "B."]
    assert first.system == second.system == "Decide whether it is true."
    assert [len(first.steps), len(second.steps)] == [2, 1]
    assert turns(first)[0] == ("Claim: A.", [("ACT", "Action 1: Search[A]")])


def test_examples_in_front_of_the_task_are_not_episodes(tmp_path):
    trajectory = only(
        tmp_path,
        "Solve the task with Thought, Action, Observation steps. Here are some examples.\n"
        "Question: x\nThought 1: t\nAction 1: Finish[x]\nObservation 1: ok\n(END OF EXAMPLES)\n"
        "Question: real?\nThought 1: r\nAction 1: Finish[yes]\nObservation 1: Answer is INCORRECT\n",
    )
    assert trajectory.task == "real?"
    assert trajectory.system.endswith("(END OF EXAMPLES)")
    assert (trajectory.success, len(trajectory.steps)) == (False, 1)


def test_logs_that_number_questions_and_print_scores(tmp_path):
    log = (
        "{0} Question: {1}\nThought 1: t\nAction 1: \n\nFinish[a]\nObservation 1: Episode finished, reward = {2}\n\n\n"
        "{{'steps': 1, 'answer': 'a', 'em': {2}, 'reward': {2}, 'f1': 0.5}} \n\n1 1 1.0 4.08\n-----------\n\n"
    )
    first, second = import_value(tmp_path, log.format(3687, "a?", 1) + log.format(12, "b?", 0))
    assert [first.task, second.task] == ["a?", "b?"]
    assert [first.success, second.success] == [True, False]
    assert first.final_observation == "Episode finished, reward = 1"
    assert first.steps[0].action == "Finish[a]"


def test_plain_react_and_chain_of_thought(tmp_path):
    first, second = import_value(
        tmp_path,
        "Question: a?\nThought: Let's think.\nAnswer: yes\nQuestion: b?\nThought: Hm.\nAnswer:no\n",
    )
    assert turns(first) == [("Question: a?", [("REASON", "Thought: Let's think.\n"), ("ACT", "Answer: yes")])]
    assert second.steps[0].action == "no"


def test_langchain(tmp_path):
    trajectory = only(
        tmp_path,
        "Question: how warm?\nThought: I look.\nAction: weather\nAction Input: Paris\nObservation: 20 C\n"
        "Thought: I now know.\nFinal Answer: 20 C\n",
    )
    assert trajectory.metadata["format"] == "langchain"
    assert turns(trajectory) == [
        ("Question: how warm?", [("REASON", "Thought: I look.\n"), ("ACT", "Action: weather\nAction Input: Paris")]),
        ("20 C", [("REASON", "Thought: I now know.\n"), ("ACT", "Final Answer: 20 C")]),
    ]


GAME = (
    "You are in the middle of a room. You see a box 1.\nYour task is to: put a key in box 1.\n"
    "> think: First the key.\nOK.\n> Think: It may be near.\n> ActionPath: Start\n> go to box 1\nIt is closed.\n"
    "> open box 1\nYou open it.\n"
)


def test_text_games_with_and_without_an_answer_to_thoughts(tmp_path):
    trajectory = only(tmp_path, GAME)
    assert turns(trajectory)[1:] == [
        ("OK.", [("REASON", "> Think: It may be near.\n> ActionPath: Start\n"), ("ACT", "> go to box 1")]),
        ("It is closed.", [("ACT", "> open box 1")]),
    ]
    assert turns(trajectory)[0][1] == [("REASON", "> think: First the key.")]
    assert [step.action for step in trajectory.steps] == ["think: First the key.", "go to box 1", "open box 1"]
    assert (trajectory.task, trajectory.final_observation) == ("put a key in box 1.", "You open it.")


def test_examples_of_a_text_game_are_not_its_episode(tmp_path):
    text = (
        f"Interact with a household to solve a task. Here are two examples.\n{GAME}\n{GAME}\nHere is the task:\n{GAME}"
    )
    trajectory = only(tmp_path, text)
    assert len(trajectory.steps) == 3
    assert trajectory.system.startswith("Interact")


def test_webshop_thoughts_and_rewards_from_running_averages(tmp_path):
    log = "-----\n{0}\nAction: reset\nObservation: \nWebshop \nInstruction:  \ni want {1} \n[Search] \n\n"
    log += "{2}\n{3}\n-----\n"
    bought = "Action: click[Buy Now]\nObservation: Your score (min 0.0, max 1.0): 0.5\n"
    lost = "Action: think[B1 is\nObservation: OK.\n\nAction: click[Buy Now]\nObservation: \n"
    won = "Action: search[cup]\nObservation: [Buy Now]\nAction: it is no action\n\n"
    won += "Action: click[Buy Now]\nObservation: \n"
    text = log.format(0, "a hat", bought, "1 0.5 0.0 0.0") + log.format(1, "a pan", lost, "2 0.25 0.0 0.0")
    text += log.format(2, "a cup", won, "3 0.5 0.3333333333333333 0.0")
    first, second, third = import_value(tmp_path, text)
    assert [one.reward for one in (first, second, third)] == [0.5, 0.0, 1.0]
    assert [one.success for one in (first, second, third)] == [False, False, True]
    assert [one.task for one in (first, second, third)] == ["i want a hat", "i want a pan", "i want a cup"]
    assert turns(second)[0][1] == [("REASON", "Action: think[B1 is")]
    assert second.steps[0].action == "think[B1 is"
    assert third.steps[1].observation == "[Buy Now]\nAction: it is no action"
    assert all("reset" not in step.completion for one in (first, second, third) for step in one.steps)


def test_reflexion_sections_are_verdicts(tmp_path):
    episode = "\nQuestion: {0}\nThought 1: t\nAction 1: Finish[{1}]\nObservation 1: {2}\nCorrect answer: {0}\n"
    text = (
        "\n########################################\n"
        "BEGIN TRIAL 3\nTrial summary: Correct: 1, Incorrect: 1, Halted: 1\n"
        "#######################################\n------------- BEGIN CORRECT AGENTS -------------\n"
        + episode.format("a", "a", "Answer is CORRECT")
        + "\n------------- BEGIN INCORRECT AGENTS -----------\n"
        + episode.format("b", "a", "Answer is INCORRECT")
        + "\n------------- BEGIN HALTED AGENTS --------------\n"
        + "\nQuestion: c\nThought 1: t\nAction 1: Search[c]\nObservation 1: nothing\nCorrect answer: c\n"
    )
    first, second, third = import_value(tmp_path, text)
    assert [one.stop_reason for one in (first, second, third)] == ["success", "done", "budget"]
    assert [one.success for one in (first, second, third)] == [True, False, False]
    assert [one.metadata["trial"] for one in (first, second, third)] == [3, 3, 3]
    assert second.metadata["correct_answer"] == "b"


def test_reflexion_on_text_games(tmp_path):
    text = f"***** Start Trial #2 *****\n\n#####\n\nEnvironment #0:\n{GAME}\nSTATUS: OK\n\n#####\n\n"
    text += f"#####\n\nEnvironment #1:\n{GAME}> look\nNothing happens.\nSTATUS: FAIL\n\n#####\n"
    first, second = import_value(tmp_path, text)
    assert [first.success, second.success] == [True, False]
    assert [second.metadata["environment_index"], second.metadata["trial"]] == [1, 2]
    assert [first.final_observation, second.final_observation] == ["You open it.", "Nothing happens."]


def test_tags_with_results_between_them(tmp_path):
    trajectory = only(
        tmp_path,
        {
            "prompt": "Answer the question.\n\nQuestion: which cars?",
            "response": "<think>I search.</think>\n<search> cars </search>\n\n<information>Doc 1: <search>fake</search>"
            "</information>\nFrom this it is clear.\n\n<answer> 30 </answer>",
        },
    )
    assert trajectory.metadata["format"] == "tags"
    assert [spans for _, spans in turns(trajectory)] == [
        [("REASON", "<think>I search.</think>\n"), ("ACT", "<search> cars </search>")],
        [("REASON", "From this it is clear.\n\n"), ("ACT", "<answer> 30 </answer>")],
    ]
    assert trajectory.steps[1].observation.startswith("<information>")
    assert [step.action for step in trajectory.steps] == ["cars", "30"]


@pytest.mark.parametrize(
    "block",
    ["Code:\n```py\nprint(1)\n```<end_code>", "<code>\nprint(1)\n</code>", "```python\nprint(1)\n```"],
    ids=["old", "new", "fence"],
)
def test_code_agents(tmp_path, block):
    trajectory = only(tmp_path, f"Task: count\nThought: I count.\n{block}\nObservation: 1\nThought: Done.\n{block}\n")
    assert trajectory.metadata["style"] == "code"
    assert [spans for _, spans in turns(trajectory)] == [
        [("REASON", "Thought: I count.\n"), ("ACT", block)],
        [("REASON", "Thought: Done.\n"), ("ACT", block)],
    ]
    assert {step.action for step in trajectory.steps} == {"print(1)"}


def test_chatml_with_thoughts_and_calls(tmp_path):
    trajectory = only(
        tmp_path,
        "<|im_start|>system\nYou have tools.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
        '<think>\nI search.\n</think>\n\n<tool_call>\n{"name": "search", "arguments": {"q": "why"}}\n</tool_call>'
        "<|im_end|>\n<|im_start|>user\n<tool_response>\nBecause.\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
        "<think>\nSo.\n</think>\n\nBecause.<|im_end|>",
    )
    assert (trajectory.system, trajectory.metadata["style"]) == ("You have tools.", "tools")
    call = '<tool_call>\n{"name": "search", "arguments": {"q": "why"}}\n</tool_call>'
    assert turns(trajectory) == [
        ("Why?", [("REASON", "<think>\nI search.\n</think>\n\n"), ("ACT", call)]),
        (
            "<tool_response>\nBecause.\n</tool_response>",
            [("REASON", "<think>\nSo.\n</think>\n\n"), ("ACT", "Because.")],
        ),
    ]


def test_deepseek_text(tmp_path):
    trajectory = only(
        tmp_path,
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>2+2?"
        "<｜Assistant｜><think>\nFour.\n</think>\n\n4<｜end▁of▁sentence｜>",
    )
    assert trajectory.system == "Be brief."
    assert turns(trajectory) == [("2+2?", [("REASON", "<think>\nFour.\n</think>\n\n"), ("ACT", "4")])]


@pytest.mark.parametrize(
    "form",
    ["{0}: ", "{0}:", "**{0}:** ", "**{0}**: ", "### {0}\n", "## {0}: ", "{0}： ", "{0}1:"],
    ids=["plain", "no space", "bold", "bold word", "heading", "heading with colon", "full width", "number"],
)
@pytest.mark.parametrize("case", [str, str.upper, str.lower], ids=["title", "upper", "lower"])
def test_labels_in_all_the_ways_they_are_written(tmp_path, form, case):
    question, thought, action, observation = (
        form.format(case(word)) if "1" not in form or word != "Question" else f"{case(word)}:"
        for word in ("Question", "Thought", "Action", "Observation")
    )
    text = f"{question}Who?\n{thought}I look.\n{action}search[who]\n{observation}A page.\n"
    trajectory = only(tmp_path, text)
    assert trajectory.task == "Who?"
    assert [spans for _, spans in turns(trajectory)] == [
        [("REASON", f"{thought}I look.\n"), ("ACT", f"{action}search[who]")]
    ]
    assert (trajectory.steps[0].action, trajectory.final_observation) == ("search[who]", "A page.")


def test_chinese_labels(tmp_path):
    trajectory = only(tmp_path, "问题：谁？\n思考：我搜索。\n行动：搜索[谁]\n观察：页面。\n最终答案：他\n")
    assert turns(trajectory)[0][1] == [("REASON", "思考：我搜索。\n"), ("ACT", "行动：搜索[谁]")]


def test_a_page_of_questions_and_answers_is_no_new_episode(tmp_path):
    page = "A FAQ.\n\nQuestion: what?\nAnswer: a book.\n\nQuestion: by whom?\nAnswer: him."
    text = f"Question: q\nThought: t\nAction: search[x]\nObservation: {page}\nThought: u\nAction: finish[y]\n"
    trajectory = only(tmp_path, text)
    assert trajectory.steps[1].observation == page
    assert [step.action for step in trajectory.steps] == ["search[x]", "finish[y]"]


def test_numbers_from_zero_and_a_summary_after_the_last_command(tmp_path):
    text = "Question: q\nThought 0: t\nAction 0: Search[x]\nObservation 0: o\n"
    text += "Thought 1: u\nAction 1: Finish[y]\n\n\nEM: 1\n"
    trajectory = only(tmp_path, text)
    assert [step.action for step in trajectory.steps] == ["Search[x]", "Finish[y]"]
    assert trajectory.steps[1].completion == "Thought 1: u\nAction 1: Finish[y]"
    assert trajectory.final_observation == "EM: 1"


def test_thought_and_command_on_one_line(tmp_path):
    trajectory = only(tmp_path, "Question: q\nThought 1: t Action 1: Search[x]\nObservation 1: o\n")
    assert turns(trajectory)[0][1] == [("REASON", "Thought 1: t "), ("ACT", "Action 1: Search[x]")]


def test_a_prompt_beside_the_text_holds_the_question_and_its_examples(tmp_path):
    example = "Question: x?\nThought 1: t\nAction 1: Finish[x]\nObservation 1: ok\n"
    record = {"prompt": f"Solve it.\n{example}Question: real?", "completion": "Thought 1: r\nAction 1: Finish[y]"}
    trajectory = only(tmp_path, record)
    assert turns(trajectory) == [("Question: real?", [("REASON", "Thought 1: r\n"), ("ACT", "Action 1: Finish[y]")])]
    assert trajectory.system.startswith("Solve it.")
    alpaca = {"instruction": "who?", "input": "", "output": "Thought: t\nAction: finish[y]\n"}
    assert turns(only(tmp_path, alpaca))[0][0] == "who?"


def test_langchain_logs_of_several_runs(tmp_path):
    run = "{0}\n\x1b[1m> Entering new AgentExecutor chain...\x1b[0m\n"
    run += "\x1b[32;1mThought: t\nAction: look\nAction Input: {0}\x1b[0m\n"
    run += "Observation: \x1b[36mo\x1b[0m\nThought: I know.\nFinal Answer: {0}\n\x1b[1m> Finished chain.\x1b[0m\n"
    first, second = import_value(tmp_path, run.format("one") + run.format("two"))
    assert [one.steps[0].action for one in (first, second)] == ["look\nAction Input: one", "look\nAction Input: two"]
    assert [one.steps[1].action for one in (first, second)] == ["one", "two"]
    assert second.steps[0].observation.startswith("two")


def test_text_of_other_headings_is_not_the_agents(tmp_path):
    text = "## Question\nq\n## Thought\nt\n## Action\nlook\n## Latency\n12 s\n## Observation\no\n"
    trajectory = only(tmp_path, text)
    assert trajectory.steps[0].completion == "## Thought\nt\n## Action\nlook"


def test_what_stands_between_a_command_and_the_next_thought_is_the_environments(tmp_path):
    text = "<think>a</think><action>go to box 1</action>\n\nfeedback: closed\n\n"
    text += "<think>b</think>\n<action>open box 1</action>\n"
    trajectory = only(tmp_path, text)
    assert [step.completion for step in trajectory.steps] == [
        "<think>a</think><action>go to box 1</action>",
        "<think>b</think>\n<action>open box 1</action>",
    ]
    assert trajectory.steps[1].observation == "feedback: closed"


def test_deepseek_calls(tmp_path):
    call = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```"
    call += "<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
    text = (
        f"<｜User｜>q<｜Assistant｜>I call.{call}<｜end▁of▁sentence｜><｜tool▁outputs▁begin｜>3<｜tool▁outputs▁end｜>"
    )
    trajectory = only(tmp_path, text + "<｜Assistant｜>It is 3.<｜end▁of▁sentence｜>")
    assert [spans for _, spans in turns(trajectory)] == [
        [("REASON", "I call."), ("ACT", call)],
        [("ACT", "It is 3.")],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<s>[INST] <<SYS>>be brief<</SYS>> q [/INST] Thought 1: t\nAction 1: go</s>"
        "<s>[INST] Observation 1: o [/INST] Thought 2: u\nAction 2: stop</s>",
        "SYSTEM: be brief\nUSER: q\nASSISTANT: Thought 1: t\nAction 1: go</s>\n"
        "USER: Observation 1: o\nASSISTANT: Thought 2: u\nAction 2: stop</s>",
    ],
    ids=["llama 2", "vicuna"],
)
def test_chat_markup_around_numbered_react(tmp_path, text):
    trajectory = only(tmp_path, text)
    assert trajectory.system == "be brief"
    assert turns(trajectory) == [
        ("q", [("REASON", "Thought 1: t\n"), ("ACT", "Action 1: go")]),
        ("Observation 1: o", [("REASON", "Thought 2: u\n"), ("ACT", "Action 2: stop")]),
    ]


def test_deepseek_goes_on_after_outputs_without_a_marker(tmp_path):
    call = "<｜tool▁calls▁begin｜>f<｜tool▁calls▁end｜><｜end▁of▁sentence｜>"
    output = "<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>3<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"
    trajectory = only(tmp_path, f"<｜User｜>q<｜Assistant｜>{call}{output}It is 3.<｜end▁of▁sentence｜>")
    assert [step.action for step in trajectory.steps][1] == "It is 3."
    assert trajectory.steps[1].observation == "<tool_response>\n3\n</tool_response>"


def test_search_r1_tells_of_invalid_actions_and_cuts_results(tmp_path):
    told = "\nMy previous action is invalid. I should put the query between <search> and </search>. Let me try again.\n"
    text = f"<think>a</think>{told}<think>b</think><search>c</search>\n<information>cut\n"
    text += "<think>d</think><answer>e</answer>"
    trajectory = only(tmp_path, {"prompt": "q", "response": text})
    assert [step.action for step in trajectory.steps] == [None, "c", "e"]
    assert not any("invalid" in step.completion or "cut" in step.completion for step in trajectory.steps)


def test_a_page_with_a_line_like_an_action_is_the_shops(tmp_path):
    text = "Action: reset\nObservation: Webshop\nInstruction:\ni want a hat\n\nAction: search[hat]\n"
    text += "Observation: [Back to Search]\nAction: figure[red]\n\nAction: click[Buy Now]\nObservation: done\n"
    trajectory = only(tmp_path, text)
    assert [step.action for step in trajectory.steps] == ["search[hat]", "click[Buy Now]"]


HARMONY = (
    "<|start|>system<|message|>Valid channels: analysis, commentary, final.<|end|>"
    "<|start|>user<|message|>Find the key.\nThought: not mine.<|end|>"
    "<|start|>assistant<|channel|>analysis<|message|>Near.<|end|>"
    "<|start|>assistant<|channel|>commentary<|message|>I go.<|end|>"
    '<|start|>assistant<|channel|>commentary to=functions.go <|constrain|>json<|message|>{"to":"box 1"}<|call|>'
    "<|start|>functions.go to=assistant<|channel|>commentary<|message|>Action: none.<|end|>"
    "<|start|>assistant<|channel|>analysis to=python code<|message|>print(1)<|call|>"
    "<|start|>python to=assistant<|channel|>analysis<|message|>1<|end|>"
    "<|start|>assistant<|channel|>analysis<|message|>Done.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Found.<|return|>"
)


@pytest.mark.parametrize("where", ["text", "prompt and completion"])
def test_harmony(tmp_path, where):
    cut = HARMONY.index("<|channel|>analysis<|message|>Near.")
    value = HARMONY if where == "text" else json.dumps({"prompt": HARMONY[:cut], "completion": HARMONY[cut:]})
    trajectory = only(tmp_path, value)
    go, code = '{"name": "go", "arguments": {"to": "box 1"}}', '{"name": "python", "arguments": "print(1)"}'
    assert turns(trajectory) == [
        (
            "Find the key.\nThought: not mine.",
            [
                ("REASON", "<think>\nNear.\n</think>\n\nI go.\n"),
                ("ACT", f"<tool_call>\n{go}\n</tool_call>"),
            ],
        ),
        ("<tool_response>\nAction: none.\n</tool_response>", [("ACT", f"<tool_call>\n{code}\n</tool_call>")]),
        ("<tool_response>\n1\n</tool_response>", [("REASON", "<think>\nDone.\n</think>\n\n"), ("ACT", "Found.")]),
    ]
    assert trajectory.system == "Valid channels: analysis, commentary, final."
    assert trajectory.metadata["format"] == "harmony"


def test_what_follows_the_results_of_mistrals_tools_is_the_agents(tmp_path):
    text = '<s>[INST] q [/INST] near [TOOL_CALLS] [{"name": "go"}]</s>[TOOL_RESULTS] o [/TOOL_RESULTS] Found.</s>'
    trajectory = only(tmp_path, text)
    assert turns(trajectory)[1] == ("<tool_response>\no\n</tool_response>", [("ACT", "Found.")])


SEARCH_R1 = (
    "Reason inside <think> and </think>. Search by <search> query </search>; results stand between <information> and "
    "</information>. Answer inside <answer> and </answer>, for example <answer> Beijing </answer>. Question: q?\n"
)


@pytest.mark.parametrize(("before", "after"), [("", ""), ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n")])
def test_instructions_on_tags_are_not_the_agents(tmp_path, before, after):
    said = "<think>t</think>\n<search>a</search>\n<information>o</information>\nSo.\n<answer>b</answer>"
    trajectory = only(tmp_path, f"{before}{SEARCH_R1}{after}{said}")
    assert turns(trajectory) == [
        (SEARCH_R1.strip(), [("REASON", "<think>t</think>\n"), ("ACT", "<search>a</search>")]),
        ("<information>o</information>", [("REASON", "So.\n"), ("ACT", "<answer>b</answer>")]),
    ]
    assert trajectory.task == "q?"


@pytest.mark.parametrize("end", ["<|end|>\n", "</s>\n", ""], ids=["Phi", "Zephyr", "GLM"])
def test_markup_of_roles_alone(tmp_path, end):
    trajectory = only(
        tmp_path,
        f"<|system|>\nBe brief.{end}<|user|>\nq{end}<|assistant|>\nThought: t\nAction: look{end}"
        f"<|user|>\nObservation: o{end}<|assistant|>\nThought: u\nAction: take{end}",
    )
    assert turns(trajectory) == [
        ("q", [("REASON", "Thought: t\n"), ("ACT", "Action: look")]),
        ("Observation: o", [("REASON", "Thought: u\n"), ("ACT", "Action: take")]),
    ]
    assert trajectory.system == "Be brief."
