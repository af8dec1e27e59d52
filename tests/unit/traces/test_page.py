"""The page of trajectories as bytes: all of them is there, as data, and always the same."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from spanwise.cli import main
from spanwise.config import TokenizerConfig
from spanwise.data.render import PLAIN, make_rendering
from spanwise.data.tokenize import tokenize_samples, tokenize_trajectory
from spanwise.errors import TokenizationError, TraceError
from spanwise.evaluation.tokens import count_tokens
from spanwise.traces.jsonl import write_trajectories
from spanwise.traces.page import Tokens, write_page
from spanwise.traces.segment import segment
from spanwise.training.models import create_tokenizer
from spanwise.types import SpanKind, Step, Trajectory

HOSTILE = "</script><script>alert(1)</script><!--<script> ]]> &lt; \u2028 \x1b[31m \u202e \ud800 🗝"
SHOWN = "</script><script>alert(1)</script><!--<script> ]]> &lt; \u2028 \\x1b[31m \\u202e \\ud800 🗝"


class _Page(HTMLParser):
    """Tags in order, data elements by id, all other text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.data, self.text, self._open = [], {}, "", None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self._open = attributes.get("id") if tag == "script" else None
        self.tags.append((tag, attributes))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open is None:
            self.text += data
        else:
            self.data[self._open] = json.loads(data)


def _step(completion, observation="You see a box.", style="react", **fields):
    cut = segment(completion, style)
    return Step(observation, completion, cut.action, cut.spans, **fields)


def _trajectory(*steps, name="t0", **fields):
    values = {
        "id": name,
        "task_id": "boxes/0",
        "environment": "toy",
        "agent": "expert",
        "seed": 3,
        "task": "find the key",
        "reward": 1.0,
        "success": True,
        "stop_reason": "success",
    }
    return Trajectory(steps=steps or (_step("Thought: There.\nAction: open box 1"),), **(values | fields))


def _written(tmp_path, *trajectories, **options):
    page = write_page(tmp_path / "page.html", trajectories, "data.jsonl", **options)
    html = (tmp_path / "page.html").read_bytes()
    assert page.size == len(html)
    return _Page(html.decode())


@pytest.fixture(scope="module")
def tokens():
    tokenizer = create_tokenizer(["Thought: There. Action: open box 1 You see a box."], TokenizerConfig(vocab_size=300))
    return Tokens(tokenizer, PLAIN)


def test_everything_a_trajectory_holds_is_on_the_page(tmp_path):
    trajectory = _trajectory(
        _step("Thought: There.\nAction: open box 1", valid=False),
        _step("Thought: hm"),
        _step("Action: read", supervised=False),
        system="Be brief.",
        tools=({"name": "open"},),
        metadata={"style": "tools", "seconds": 1.5},
        final_observation="You win.\n",
    )
    page = _written(tmp_path, trajectory)
    assert page.data["index"]["about"] == {"name": "data.jsonl", "more": False, "unit": "characters", "tokenizer": None}
    assert page.data["index"]["trajectories"] == [
        {
            "id": "t0",
            "task_id": "boxes/0",
            "task": "find the key",
            "agent": "expert",
            "environment": "toy",
            "success": True,
            "stop": "success",
            "reward": 1.0,
            "steps": 3,
            "counts": {"context": 3 * 14 + 12, "reason": 27, "act": 18},
            "marks": ["no action", "not supervised", "refused"],
        }
    ]
    record = page.data["trajectory-0"]
    assert [step["marks"] for step in record["steps"]] == [["refused"], ["no action"], ["not supervised"]]
    assert record["steps"][0] == {
        "observation": "You see a box.",
        "spans": [["reason", "Thought: There.\n"], ["act", "Action: open box 1"]],
        "action": "open box 1",
        "marks": ["refused"],
        "counts": {"context": 14, "reason": 16, "act": 18},
    }
    assert (record["seed"], record["mono"], record["final"]) == (3, True, "You win.")
    assert page.data[f"shared-{record['system']}"] == "Be brief."
    assert json.loads(page.data[f"shared-{record['tools']}"]) == [{"name": "open"}]
    assert json.loads(record["metadata"]) == {"style": "tools", "seconds": 1.5}


def test_what_a_trajectory_says_is_data_and_no_element(tmp_path):
    plain = _written(tmp_path, _trajectory(system="x", metadata={"x": "x"}))
    fields = ("id", "task_id", "task", "agent", "environment", "stop_reason", "system", "final_observation")
    hostile = replace(
        _trajectory(_step(f"Thought: {HOSTILE}\nAction: {HOSTILE}", observation=HOSTILE), metadata={"x": HOSTILE}),
        **dict.fromkeys(fields, HOSTILE),
    )
    write_page(tmp_path / "page.html", [hostile], HOSTILE)
    html = (tmp_path / "page.html").read_text()
    page = _Page(html)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert html.count("<script") == html.count("</script") == 4
    assert "<!--" not in html
    assert not {"\x1b", "\u202e"} & set(html)
    assert "\u2028" not in re.sub(r"<title>.*?</title>|<h1.*?</h1>", "", html)
    entry, record = page.data["index"]["trajectories"][0], page.data["trajectory-0"]
    assert {entry[field] for field in ("id", "task_id", "task", "agent", "environment", "stop")} == {SHOWN}
    assert record["steps"][0]["observation"] == record["final"] == page.data["shared-0"] == SHOWN
    assert record["steps"][0]["spans"] == [["reason", f"Thought: {SHOWN}\n"], ["act", f"Action: {SHOWN}"]]
    assert "</script><script>alert(1)</script>" in record["metadata"]
    assert SHOWN in page.text


def test_the_page_may_load_nothing_and_runs_its_own_script_only(tmp_path):
    page = _written(tmp_path, _trajectory())
    policy = next(attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag, attributes in page.tags:
        assert not attributes.keys() & {"src", "href", "action", "style", "srcset"}, tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert tag not in ("link", "img", "iframe", "base")
    assert "innerHTML" not in (files("spanwise.traces") / "templates/page.js").read_text()
    assert "http" not in (tmp_path / "page.html").read_text().replace("http-equiv", "")


def test_the_same_trajectories_give_the_same_bytes_and_what_they_share_is_stored_once(tmp_path):
    trajectories = [_trajectory(name=f"t{index}", system="The same for all.") for index in range(5)]
    first = _written(tmp_path, *trajectories)
    before = (tmp_path / "page.html").read_bytes()
    _written(tmp_path, *trajectories)
    assert (tmp_path / "page.html").read_bytes() == before
    assert [name for name in first.data if name.startswith("shared")] == ["shared-0"]
    assert {first.data[f"trajectory-{index}"]["system"] for index in range(5)} == {0}


def test_trajectories_are_read_no_further_than_the_limit(tmp_path):
    read = []

    def many():
        for index in range(1000):
            read.append(index)
            yield _trajectory(name=f"t{index}")

    page = write_page(tmp_path / "page.html", many(), "data.jsonl", limit=3)
    assert (page.trajectories, page.more) == (3, True)
    assert read == [0, 1, 2, 3]
    page = _Page((tmp_path / "page.html").read_text())
    assert page.data["index"]["about"]["more"]
    assert [entry["id"] for entry in page.data["index"]["trajectories"]] == ["t0", "t1", "t2"]
    assert not write_page(tmp_path / "page.html", [_trajectory()], "data.jsonl", limit=1).more


@pytest.mark.parametrize(
    ("steps", "marks"),
    [
        ((_step("Action: go"),), ["no reason"]),
        ((_step("Thought: hm"),), ["no act", "no action"]),
        ((), ["no act", "no reason"]),
        ((_step("Thought: hm\nAction: go", supervised=False),), ["no act", "no reason", "not supervised"]),
    ],
)
def test_what_is_missing_is_marked(tmp_path, steps, marks):
    page = _written(tmp_path, replace(_trajectory(), steps=steps))
    assert page.data["index"]["trajectories"][0]["marks"] == marks


@pytest.mark.parametrize(("reward", "stored"), [(None, None), (0.5, 0.5), (float("nan"), "nan"), (float("inf"), "inf")])
def test_any_reward_can_be_stored(tmp_path, reward, stored):
    page = _written(tmp_path, replace(_trajectory(), reward=reward, success=None))
    entry = page.data["index"]["trajectories"][0]
    assert (entry["reward"], entry["success"]) == (stored, None)


def test_nothing_is_left_behind_by_what_fails(tmp_path):
    def failing():
        yield _trajectory()
        raise TraceError("data.jsonl:2: damaged")

    (tmp_path / "page.html").write_text("before")
    for trajectories, message in [(failing(), "data.jsonl:2: damaged"), ([], "data.jsonl: holds no trajectory")]:
        with pytest.raises(TraceError, match=message):
            write_page(tmp_path / "page.html", trajectories, "data.jsonl")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "before")]
    (tmp_path / "folder").mkdir()
    with pytest.raises(TraceError, match=r"folder: cannot be written"):
        write_page(tmp_path / "folder", [_trajectory()], "data.jsonl")


def test_tokens_are_those_of_training(tmp_path, tokens):
    trajectory = _trajectory(
        _step("Thought: There 🗝.\nAction: open box 1"), _step("Action: 🗝 open"), _step("Action: open", supervised=False)
    )
    page = _written(tmp_path, trajectory, tokens=tokens)
    row = tokenize_trajectory(trajectory, tokens.tokenizer)
    entry, steps = page.data["index"]["trajectories"][0], page.data["trajectory-0"]["steps"]
    expected = count_tokens(trajectory, tokens.tokenizer)
    assert (entry["counts"]["reason"], entry["counts"]["act"]) == (expected[SpanKind.REASON], expected[SpanKind.ACT])
    assert sum(entry["counts"].values()) == len(row) + 1
    for index, step in enumerate(steps[:2]):
        chosen = (row.step == index) & (row.kind != SpanKind.CONTEXT)
        assert step["tokens"]["ids"] == row.target_ids[chosen].tolist()
        assert step["tokens"]["kinds"] == "".join(" ra"[kind] for kind in row.kind[chosen])
        assert step["tokens"]["end"] == tokens.tokenizer.eos_token
    assert page.data["index"]["about"]["unit"] == "tokens"
    assert not any(step["rewritten"] for step in steps)


def test_tokens_divide_the_text_as_it_is_shown(tmp_path, tokens):
    completion = "Thought: There \x1b 🗝\nAction: open box 1"
    page = _written(tmp_path, _trajectory(_step(completion)), tokens=tokens)
    step = page.data["trajectory-0"]["steps"][0]
    text = "".join(text for _, text in step["spans"]).encode("utf-16-le")
    pieces, position = [], 0
    for length in step["tokens"]["lengths"]:
        pieces.append(text[2 * position : 2 * (position + length)].decode("utf-16-le"))
        position += length
    assert position == len(text) // 2
    assert "".join(pieces) == completion.replace("\x1b", "\\x1b")
    assert {"Thought", " There", "\\x1b", " open", " box"} <= set(pieces)
    at = next(index for index, piece in enumerate(pieces) if "🗝" in piece)
    assert pieces[at + 1 : at + 4] == ["", "", ""]  # the other bytes of the character
    assert len(step["tokens"]["ids"]) == len(pieces) + 1


def test_generated_tokens_are_shown_as_they_are(tmp_path, tokens):
    completion = "Thought: hm\nAction: open"
    ids = [token_id for character in completion for token_id in tokens.tokenizer.encode(character)]
    step = _step(completion, token_ids=tuple(ids))
    page = _written(tmp_path, _trajectory(step), tokens=tokens)
    found = page.data["trajectory-0"]["steps"][0]["tokens"]
    assert (found["ids"], found["lengths"], found["end"]) == (ids, [1] * len(completion), None)
    with pytest.raises(TokenizationError, match=r"trajectory 't0', step 0: .*the stored token ids spell"):
        _written(tmp_path, _trajectory(replace(step, token_ids=tuple(ids[1:]))), tokens=tokens)


#: Drops thoughts of earlier turns, and white space around what is said.
FORGETFUL = (
    "{% for message in messages %}{{ message.role }}: "
    "{% if message.role == 'assistant' and not loop.last and '</think>' in message.content %}"
    "{{ message.content.split('</think>')[1] | trim }}"
    "{% else %}{{ message.content | trim }}{% endif %}{% if message.role == 'assistant' %}<|eos|>{% endif %}\n"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def test_a_turn_is_shown_as_the_chat_template_writes_it(tmp_path):
    tokenizer = create_tokenizer(["You see a box. Action: open"], TokenizerConfig(vocab_size=300))
    tokenizer.chat_template = FORGETFUL
    rendering = make_rendering("chat", tokenizer)
    completions = ("<think>There.</think><action>open</action>", "<think>hm</think><action>read</action>\n\n")
    trajectory = _trajectory(*(_step(one, style="tags") for one in completions))
    page = _written(tmp_path, trajectory, tokens=Tokens(tokenizer, rendering))
    rows = tokenize_samples(trajectory, tokenizer, rendering)
    assert len(rows) == 2  # the thought of the first turn is gone when the second is written
    steps = page.data["trajectory-0"]["steps"]
    for step, row, completion in zip(steps, rows, completions, strict=True):
        assert "".join(text for _, text in step["spans"]) == completion.strip()
        assert step["rewritten"] == (completion.strip() != completion)
        assert sum(step["tokens"]["lengths"]) == len(completion.strip())
        assert step["tokens"]["ids"] == row.target_ids[row.kind != SpanKind.CONTEXT].tolist()
        assert sum(step["counts"].values()) == len(row) + 1


def test_the_colours_are_those_of_the_report():
    report = (files("spanwise.report") / "templates/report.css").read_text()
    page = (files("spanwise.traces") / "templates/page.css").read_text()
    light, dark = (dict(re.findall(r"--([a-z]+): (#\w+);", part)) for part in report.split("@media", 2)[:2])
    pairs = dict(re.findall(r"--([a-z]+): light-dark\((.*?)\);", page))
    assert {"paper", "ink", "soft", "rule", "wash", "reason", "act", "won", "lost"} == set(pairs)
    assert pairs == {name: f"{light[name]}, {dark[name]}" for name in pairs}


def _spanwise(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["spanwise", "show", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code, capsys.readouterr()


@pytest.fixture
def data(tmp_path):
    write_trajectories(tmp_path / "data.jsonl", [_trajectory(name=f"t{index}") for index in range(3)])
    return tmp_path / "data.jsonl"


def test_the_command_writes_a_page_of_all_or_of_one(tmp_path, data, monkeypatch, capsys):
    page = tmp_path / "new" / "page.html"
    code, printed = _spanwise(monkeypatch, capsys, data, "--html", page)
    assert (code, printed.out, printed.err) == (0, f"page: {page}: 3 trajectories, 0.0 MB\n", "")
    assert len(_Page(page.read_text()).data["index"]["trajectories"]) == 3
    code, printed = _spanwise(monkeypatch, capsys, data, "--html", page, "--id", "t1")
    assert [entry["id"] for entry in _Page(page.read_text()).data["index"]["trajectories"]] == ["t1"]


def test_the_command_warns_of_a_heavy_page(tmp_path, data, monkeypatch, capsys):
    monkeypatch.setattr("spanwise.traces.page.HEAVY", 1000)
    _, printed = _spanwise(monkeypatch, capsys, data, "--html", tmp_path / "page.html")
    assert "--limit" in printed.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--limit", "2"), "expected --html too"),
        (("--rendering", "chat"), "expected --html too"),
        (("--html", "page.html", "--rendering", "chat"), "expected --tokenizer too"),
        (("--html", "data.jsonl"), "would overwrite the trajectories"),
        (("--html", "page.html", "--id", "nobody"), "no id 'nobody' among 3"),
    ],
)
def test_options_that_do_not_fit_are_errors(data, monkeypatch, capsys, options, message):
    monkeypatch.chdir(data.parent)
    code, printed = _spanwise(monkeypatch, capsys, data.name, *options)
    assert code == 2
    assert message in printed.err
    assert {path.name for path in data.parent.iterdir()} == {"data.jsonl"}


def test_a_file_that_is_missing_or_damaged_is_an_error(tmp_path, data, monkeypatch, capsys):
    data.write_bytes(data.read_bytes()[:-20])
    for name, message in [("data.jsonl", "data.jsonl:3: the last line is cut off"), ("none.jsonl", "no such file")]:
        code, printed = _spanwise(monkeypatch, capsys, tmp_path / name, "--html", tmp_path / "page.html")
        assert code == 2
        assert message in printed.err
    assert not (tmp_path / "page.html").exists()
