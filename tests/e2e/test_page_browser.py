"""The page of trajectories in a real browser, driven by real keys: it works, is safe, and asks nobody for anything."""

import json
from dataclasses import replace

import pytest
from tests.e2e.chromium import CHROMIUM, Browser

from spanwise.cli import main
from spanwise.traces.jsonl import write_trajectories
from spanwise.traces.segment import segment
from spanwise.types import Step, Trajectory

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)> \x1b[31m \u202e &amp;"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser to show the page in: chromium is not on the PATH")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def _trajectory(name, *completions, success: bool | None = True, style="react", **fields):
    cuts = [(completion, segment(completion, style)) for completion in completions]
    steps = tuple(
        Step(f"You see box {index}.", completion, cut.action, cut.spans) for index, (completion, cut) in enumerate(cuts)
    )
    values = {
        "id": name,
        "task_id": f"boxes/{name}",
        "environment": "toy",
        "agent": "expert",
        "seed": 3,
        "task": "find the key",
        "reward": None,
        "success": success,
        "stop_reason": "unknown" if success is None else "done",
    }
    return Trajectory(steps=steps, **(values | fields))


THOUGHT, ACTION = "Thought: The key may be there.\n", "Action: open the box"
FEW = (
    _trajectory("first", THOUGHT + ACTION, THOUGHT + "Action: take the key", final_observation="You hold the key."),
    _trajectory("hostile", HOSTILE, f"{THOUGHT}{HOSTILE}\n{ACTION}", success=False, task=HOSTILE, system=HOSTILE),
    _trajectory("acts", *[ACTION] * 5, success=None, reward=0.5),
    _trajectory("long", *[THOUGHT + ACTION] * 40, reward=1.0),
)


def _show(tmp_path, monkeypatch, trajectories, *options):
    """The address of the page that the command makes."""
    write_trajectories(tmp_path / "data.jsonl", trajectories)
    page = tmp_path / "page.html"
    monkeypatch.setattr("sys.argv", ["spanwise", "show", str(tmp_path / "data.jsonl"), "--html", str(page), *options])
    with pytest.raises(SystemExit, match="0"):
        main()
    return page.as_uri()


def _ids(browser):
    return browser.run("[...document.querySelectorAll('.item .id')].map(item => item.textContent)")


@pytest.fixture
def opened(browser, tmp_path, monkeypatch):
    browser.open(_show(tmp_path, monkeypatch, FEW))
    yield browser
    assert browser.problems() == []


def test_the_script_shows_every_turn_and_names_every_kind(opened):
    assert _ids(opened) == ["first", "hostile", "acts", "long"]
    texts = "row => [...row.children].map(child => child.textContent)"
    rows = opened.run(f"[...document.querySelectorAll('#script .row')].map({texts})")
    assert rows == [
        ["context", "You see box 0."],
        ["reason", THOUGHT],
        ["act", ACTION],
        ["context", "You see box 1."],
        ["reason", THOUGHT],
        ["act", "Action: take the key"],
        ["context", "You hold the key."],
    ]
    colours = [
        opened.run(f"getComputedStyle(document.querySelector('.row.{kind} .text')).color")
        for kind in ("context", "reason", "act")
    ]
    assert len(set(colours)) == 3


def test_what_a_trajectory_says_is_text(opened):
    opened.press("j")
    text = opened.text("#script")
    assert "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)> \\x1b[31m \\u202e &amp;" in text
    assert opened.run("document.querySelectorAll('img, #script script').length") == 0
    opened.wait("document.querySelector('.step .chip').innerText")  # steps are laid out as they come into sight
    assert "no action" in opened.text(".step .chip").lower()
    opened.run("document.querySelector('.fold summary').click()")
    assert "</script><script>alert(1)" in opened.text(".fold pre")


def test_keys_move_between_trajectories_and_the_address_keeps_the_place(opened):
    address = opened.run("location.href").partition("#")[0]
    opened.press("j", "j")
    assert opened.run("location.hash") == "#acts"
    opened.press("k")
    assert opened.run("location.hash") == "#hostile"
    opened.run("document.getElementById('list').focus()")
    opened.press("ArrowDown", "ArrowDown")
    assert opened.run("location.hash") == "#long"
    assert opened.text("[aria-selected=true] .id") == "long"
    opened.press("j")
    assert opened.run("location.hash") == "#long"
    opened.run("location.hash = '#first'")
    opened.wait("document.querySelector('[aria-selected=true] .id').textContent === 'first'")
    opened.open("about:blank")
    opened.open(address + "#acts")
    assert opened.text("#script .about .id") == "acts"
    opened.open("about:blank")
    opened.open(address + "#nobody")
    assert "no trajectory nobody" in opened.text("#status")


def test_keys_move_between_steps_and_show_kinds(opened):
    opened.press("j", "j", "j", "n", "n", "n")
    assert opened.run("document.activeElement.textContent") == "Step 3"
    opened.press("p")
    assert opened.run("document.activeElement.textContent") == "Step 2"
    opened.press("c", "r")
    visible = "[...document.querySelectorAll('.row')].filter(row => row.checkVisibility()).map(row => row.className)"
    assert set(opened.run(visible)) == {"row act"}
    assert opened.run("document.querySelector('[data-kind=reason]').ariaPressed") == "false"
    opened.press("r")
    assert set(opened.run(visible)) == {"row act", "row reason"}


def test_search_wants_all_words_anywhere(opened):
    opened.press("/")
    assert opened.run("document.activeElement.id") == "query"
    opened.press(*"KEY hold")
    opened.wait("document.getElementById('count').textContent === '1 of 4 trajectories'")
    assert _ids(opened) == ["first"]
    assert opened.run("CSS.highlights.get('found').size") > 0
    opened.set("query", "alert(2)")
    opened.wait("document.querySelector('.item .id').textContent === 'hostile'")
    assert _ids(opened) == ["hostile"]
    opened.press("Escape", "j")
    assert opened.run("location.hash") == "#hostile"
    opened.set("query", "nowhere")
    opened.wait("document.getElementById('count').textContent === '0 of 4 trajectories'")
    assert "No trajectory passes" in opened.text("#list")
    opened.press("j")  # nowhere to go


@pytest.mark.parametrize(
    ("field", "value", "ids"),
    [
        ("outcome", "null", ["acts"]),
        ("outcome", "false", ["hostile"]),
        ("mark", "no reason", ["acts"]),
        ("mark", "no action", ["hostile"]),
        ("least", "3", ["acts", "long"]),
        ("most", "4", ["first", "hostile"]),
        ("sort", "long", ["long", "acts", "first", "hostile"]),
        ("sort", "high", ["long", "acts", "first", "hostile"]),
        ("sort", "low", ["acts", "long", "first", "hostile"]),
    ],
)
def test_filters_and_order(opened, field, value, ids):
    opened.set(field, value)
    opened.wait(f"document.querySelectorAll('.item .id').length === {len(ids)}")
    opened.wait(f"document.querySelector('.item .id').textContent === {ids[0]!r}")
    assert _ids(opened) == ids
    opened.run("document.querySelector('button[type=reset]').click()")
    opened.wait("document.getElementById('count').textContent === '4 trajectories'")
    assert _ids(opened) == ["first", "hostile", "acts", "long"]


def test_help_opens_and_closes(opened):
    opened.press("?")
    assert opened.run("document.getElementById('help').open")
    opened.press("j")
    assert opened.run("location.hash") == "#first"
    opened.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape", windowsVirtualKeyCode=27)
    opened.wait("!document.getElementById('help').open")


def test_colours_follow_the_system_until_one_chooses(opened):
    paper = "getComputedStyle(document.body).backgroundColor"
    opened.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    light = opened.run(paper)
    opened.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = opened.run(paper)
    assert light != dark
    opened.run("document.getElementById('theme').click()")
    assert opened.run(paper) == light
    opened.call("Emulation.setEmulatedMedia", features=[])


def test_a_narrow_screen_shows_the_list_or_the_script(opened):
    opened.call("Emulation.setDeviceMetricsOverride", width=420, height=800, deviceScaleFactor=1, mobile=False)
    opened.press("Escape")
    visible = "['browser', 'reader'].filter(id => document.getElementById(id).checkVisibility())"
    assert opened.run(visible) == ["browser"]
    opened.run("document.querySelectorAll('.item')[1].click()")
    assert opened.run(visible) == ["reader"]
    assert opened.run("document.documentElement.scrollWidth") <= 420
    opened.run("document.getElementById('back').click()")
    assert opened.run(visible) == ["browser"]
    opened.call("Emulation.clearDeviceMetricsOverride")


def test_paper_shows_the_whole_script_and_nothing_else(browser, tmp_path, monkeypatch):
    step = Step("line\n" * 200, ACTION, "open the box", segment(ACTION, "react").spans)
    browser.open(_show(tmp_path, monkeypatch, [replace(FEW[0], steps=(step, *FEW[0].steps))]))
    height = "document.querySelector('.row .text').getBoundingClientRect().height"
    assert browser.run(height) < 400
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.call("Emulation.setDeviceMetricsOverride", width=700, height=900, deviceScaleFactor=1, mobile=False)
    visible = "['browser', 'status', 'reader', 'script'].filter(id => document.getElementById(id).checkVisibility())"
    assert browser.run(visible) == ["reader", "script"]
    assert browser.run(height) > 3000
    assert browser.run("document.getElementById('reader').getBoundingClientRect().height") > 3200
    browser.call("Emulation.clearDeviceMetricsOverride")
    browser.call("Emulation.setEmulatedMedia", media="")


@pytest.fixture
def tokenizer_folder(tmp_path):
    from spanwise.config import TokenizerConfig
    from spanwise.training.models import create_tokenizer

    texts = ["Thought: The key may be there.", "Action: open the box", "You see box 1."]
    create_tokenizer(texts, TokenizerConfig(vocab_size=300)).save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def test_the_pointer_shows_tokens(browser, tmp_path, monkeypatch, tokenizer_folder):
    completion = "Thought: The key 🗝 may be\nthere.\nAction: open the box"
    options = ("--tokenizer", str(tokenizer_folder))
    browser.open(_show(tmp_path, monkeypatch, [_trajectory("keys", completion, completion)], *options))
    assert browser.run("document.querySelectorAll('.token').length") == 0
    heights = "[...document.querySelectorAll('.text')].map(text => text.getBoundingClientRect().height)"
    before = browser.run(heights)
    browser.point(".row.act .text")
    assert browser.run("document.querySelectorAll('.completion.bordered').length") == 1
    text_of = "[...token.childNodes].filter(node => !node.ariaHidden).map(node => node.textContent).join('')"
    drawn = browser.run(f"[...document.querySelectorAll('.bordered .token:not(.end)')].map(token => {text_of})")
    assert "".join(drawn) == completion
    assert {"Thought", " key", "Action", " box", "🗝"} <= set(drawn)
    assert browser.run(heights) == before
    browser.point(".row.act .token:nth-child(3)")
    ids = json.loads((tokenizer_folder / "tokenizer.json").read_text())["model"]["vocab"]
    assert browser.text("#status").startswith("ACT")
    assert browser.run("[...document.getElementById('status').children].map(part => part.textContent)")[2:4] == [
        f"id {ids['Ġopen']}",
        '" open"',
    ]
    place = 1 + drawn.index("🗝")  # a character of four bytes, and of as many tokens
    browser.point(f".row.reason .token:nth-child({place})")
    assert f"tokens {place}–{place + 3}" in browser.text("#status")
    browser.point(".toolbar")
    assert browser.run("document.querySelectorAll('.bordered').length") == 0
    browser.press("t")
    assert browser.run("document.querySelectorAll('.bordered').length") == 2
    assert browser.run("document.querySelectorAll('.end').length") == 2
    browser.press("t")
    assert browser.run("document.querySelectorAll('.bordered').length") == 0
    assert browser.problems() == []


def test_a_thousand_trajectories_open_and_are_searched(browser, tmp_path, monkeypatch):
    many = [
        _trajectory(f"game {number:04}", *[f"Thought: number {number}, turn {turn}\n{ACTION}" for turn in range(30)])
        for number in range(1200)
    ]
    browser.open(_show(tmp_path, monkeypatch, many))
    assert browser.text("#count") == "1,200 trajectories"
    assert browser.run("document.querySelectorAll('.item').length") < 500
    browser.run("document.getElementById('list').focus()")
    browser.press("End")
    assert browser.run("document.querySelector('[aria-selected=true] .id').textContent") == "game 1199"
    assert browser.run("document.querySelectorAll('.item').length") == 1200
    browser.set("query", "1033, 29")
    browser.wait("document.getElementById('count').textContent === '1 of 1,200 trajectories'")
    assert _ids(browser) == ["game 1033"]
    assert browser.problems() == []


def test_a_part_of_a_file_says_so(browser, tmp_path, monkeypatch):
    browser.open(_show(tmp_path, monkeypatch, FEW, "--limit", "2"))
    assert _ids(browser) == ["first", "hostile"]
    assert browser.text("#count") == "the first 2 trajectories of the file"
