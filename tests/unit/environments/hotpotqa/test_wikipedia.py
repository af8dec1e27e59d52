"""The live encyclopedia against a server on this machine that answers as MediaWiki does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from spanwise.environments.hotpotqa.environment import HotpotqaEnvironment
from spanwise.environments.hotpotqa.records import Question
from spanwise.environments.hotpotqa.wikipedia import LiveWikipedia
from spanwise.errors import TaskDataError

EXTRACTS = {
    "Ken Kesey": "Ken Kesey was an American novelist. He was born in 1935.\n\n\n"
    "== Life ==\nTwo words\nHe lived in Oregon.",
    "Mercury": "Mercury may refer to:\nMercury (planet), a planet of the Sun",
}


class MediaWiki(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, str]] = []
        self.agents: set[str | None] = set()
        #: What is answered before anything else: a status, headers and a body each.
        self.first: list[tuple[int, dict[str, str], bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/w/api.php"


class Handler(BaseHTTPRequestHandler):
    server: MediaWiki

    def do_GET(self):
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.asked.append(asked)
        self.server.agents.add(self.headers.get("User-Agent"))
        status, headers, body = self.server.first.pop(0) if self.server.first else (200, {}, self.answer(asked))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, asked: dict[str, str]) -> bytes:
        if "titles" in asked:
            query = {"pages": [{"title": asked["titles"], "extract": EXTRACTS[asked["titles"]]}]}
        elif asked.get("srwhat") == "nearmatch":
            found = [title for title in EXTRACTS if title.lower() == asked["srsearch"].lower()]
            query = {"search": [{"title": title} for title in found]}
        else:
            query = {"search": [{"title": f"{asked['srsearch']} {n}"} for n in range(int(asked["srlimit"]))]}
        return json.dumps({"batchcomplete": True, "query": query}).encode()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server() -> Iterator[MediaWiki]:
    serving = MediaWiki()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def wikipedia(server, tmp_path) -> LiveWikipedia:
    return LiveWikipedia(server.address, tmp_path / "kept", pause=0.0)


def test_pages_are_found_by_wikipedia_s_own_rules_and_cleaned(wikipedia, server):
    assert wikipedia.article("ken kesey") == (
        "Ken Kesey was an American novelist. He was born in 1935.\nHe lived in Oregon."
    )
    assert wikipedia.article("nobody") is None
    assert wikipedia.similar("[Nobody]", 2) == ["Nobody 0", "Nobody 1"]
    (agent,) = server.agents
    assert agent.startswith("spanwise/")


def test_an_episode_over_it(wikipedia):
    environment = HotpotqaEnvironment(wikipedia, Question("q", "?", "Oregon", "bridge", "easy", ()))
    shown = "Ken Kesey was an American novelist. He was born in 1935.. He lived in Oregon.."
    assert environment.step("search[Ken Kesey]").observation == shown
    assert environment.step("lookup[oregon]").observation == "(Result 1 / 1) He lived in Oregon.."
    ambiguous = environment.step("search[mercury]").observation
    assert ambiguous.startswith("Could not find [mercury]. Similar: ['mercury 0',")


def test_what_was_answered_is_not_asked_again(wikipedia, server, tmp_path):
    first = wikipedia.article("Ken Kesey"), wikipedia.similar("x", 3)
    asked = len(server.asked)
    again = LiveWikipedia(server.address, tmp_path / "kept", pause=0.0)
    assert (again.article("Ken Kesey"), again.similar("x", 3)) == first
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    "refusal",
    [
        (429, {"Retry-After": "0"}, b""),
        (503, {}, b"busy"),
        (200, {}, b'{"error": {"code": "maxlag", "info": "Waiting"}}'),
    ],
)
def test_a_busy_server_is_asked_again(wikipedia, server, refusal):
    server.first = [refusal, refusal]
    assert wikipedia.article("ken kesey") is not None
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ((404, {}, b""), "answers 404"),
        ((200, {}, b"<html>"), "does not answer in JSON"),
        ((200, {}, b"[]"), r"answers \[\]"),
        ((200, {}, b'{"error": {"code": "badvalue"}}'), "badvalue"),
    ],
)
def test_a_server_that_refuses_is_named_and_its_answer_not_kept(wikipedia, server, tmp_path, refusal, message):
    server.first = [refusal]
    with pytest.raises(TaskDataError, match=message):
        wikipedia.article("x")
    assert len(server.asked) == 1
    assert not list((tmp_path / "kept").glob("*"))


def test_a_server_that_stays_busy_is_given_up(wikipedia, server):
    server.first = [(500, {}, b"")] * 20
    with pytest.raises(TaskDataError, match=r"answers 500.*run the same command again"):
        wikipedia.article("x")
    assert len(server.asked) == 6


def test_no_server(tmp_path):
    with pytest.raises(TaskDataError, match="cannot be reached"):
        LiveWikipedia("http://127.0.0.1:9/api.php", tmp_path, pause=0.0).article("x")


def test_a_damaged_answer_is_named(wikipedia, tmp_path):
    wikipedia.similar("x", 3)
    (kept,) = (tmp_path / "kept").glob("*.json")
    kept.write_text("{", encoding="utf-8")
    with pytest.raises(TaskDataError, match="is damaged"):
        wikipedia.similar("x", 3)


@pytest.mark.parametrize("name", ["", " ", "[]"])
def test_nothing_is_not_asked_for(wikipedia, server, name):
    assert wikipedia.similar(name, 5) == []
    assert wikipedia.article(name.strip("[]")) is None
    assert not server.asked


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "x" * 100_000, "a&b=c#d?", "a\nb"])
def test_any_name_can_be_asked_for(wikipedia, server, name):
    assert wikipedia.article(name) is None
    assert len(server.asked[0]["srsearch"]) <= 255


def test_requests_keep_their_distance(server, tmp_path, monkeypatch):
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(round(seconds, 3))
        now[0] += seconds

    monkeypatch.setattr("spanwise.environments.hotpotqa.wikipedia.time.monotonic", lambda: now[0])
    monkeypatch.setattr("spanwise.environments.hotpotqa.wikipedia.time.sleep", sleep)
    server.first = [(200, {}, b'{"query": {"search": []}}'), (429, {"Retry-After": "7"}, b""), (503, {}, b"")]
    wikipedia = LiveWikipedia(server.address, tmp_path, pause=0.5)
    wikipedia.article("one")
    wikipedia.similar("two", 1)
    assert slept == [0.5, 7.0, 1.0, 2.0]
