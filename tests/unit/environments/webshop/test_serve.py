import http.client
import threading
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from spanwise.config import EnvironmentConfig
from spanwise.environments.webshop import serve
from spanwise.environments.webshop.serve import ShopServer
from spanwise.environments.webshop.tasks import WebshopTasks
from spanwise.errors import TaskDataError


@pytest.fixture(scope="module")
def shop():
    settings = {"name": "webshop", "source": "generated", "webshop": {"products": 40}}
    return WebshopTasks(EnvironmentConfig.model_validate(settings)).shop


@pytest.fixture
def serving(shop):
    with ShopServer(shop, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Visitor:
    """A browser without a screen: follows redirections, keeps the address it is at."""

    def __init__(self, server):
        self.server = server.server_address
        self.place = "/"

    def get(self, place):
        return self._ask("GET", place)

    def act(self, **form):
        return self._ask("POST", self.place, urlencode(form))

    def _ask(self, method, place, form=None, headers=None):
        with closing(http.client.HTTPConnection(*self.server, timeout=30)) as connection:
            connection.request(method, place, form, headers or {})
            answer = connection.getresponse()
            self.status, self.headers, body = answer.status, answer.headers, answer.read().decode()
        self.place = place
        return self.get(self.headers["Location"]) if self.status == 303 else body

    def send_long(self):
        self._ask("POST", self.place, b"", {"Content-Length": str(1 << 30)})


def test_a_goal_is_played_to_its_reward(serving, shop):
    visitor = Visitor(serving)
    assert "Which goal?" in visitor.get("/")
    assert shop.goals[3].text.split()[-1] in visitor.get("/begin?goal=3")
    wanted = shop.catalogue.product(shop.goals[3].asin, "goal 3")
    page = visitor.act(search=wanted.title)
    assert wanted.asin in page
    page = visitor.act(click=wanted.asin.lower())
    assert "Buy Now" in page
    for _, value in shop.goals[3].options:
        assert 'aria-pressed="true"' in visitor.act(click=value)
    page = visitor.act(click="Buy Now")
    assert 'id="reward"' in page
    assert f"search[{wanted.title}]"[:30] in page
    assert visitor.act(search="more") == visitor.get(visitor.place)  # nothing happens once it is over


def test_two_visits_do_not_mix_and_cannot_be_guessed(serving):
    first, second = Visitor(serving), Visitor(serving)
    first.get("/begin?goal=0")
    second.get("/begin?goal=0")
    assert first.place != second.place
    first.act(search="red")
    assert "red" in first.get(first.place)
    assert 'id="page"' not in second.get(second.place)
    assert first.get("/visit/guess")
    assert first.status == 404


def test_what_cannot_be_done_is_said_and_changes_nothing(serving):
    visitor = Visitor(serving)
    visitor.get("/begin?goal=0")
    page = visitor.act(click="Buy Now")
    assert 'role="alert"' in page
    assert "0 actions" in page
    assert 'role="alert"' in visitor.act(nonsense="x")


@pytest.mark.parametrize("goal", ["", "x", "-1", "99999999", "1e3", "²", "9" * 50])
def test_a_goal_that_does_not_exist_is_said(serving, goal):
    visitor = Visitor(serving)
    assert 'role="alert"' in visitor.get("/begin?" + urlencode({"goal": goal}))
    assert visitor.status == 404


def test_a_form_that_is_too_long_is_refused(serving):
    visitor = Visitor(serving)
    visitor.get("/begin?goal=0")
    visitor.send_long()
    assert visitor.status == 413


def test_hostile_products_and_searches_stay_text(shop):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m"
    products = tuple(replace(one, title=hostile, description=hostile) for one in shop.catalogue.products)
    changed = replace(shop, catalogue=replace(shop.catalogue, products=products))
    with ShopServer(changed, port=0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        visitor = Visitor(server)
        visitor.get("/begin?goal=0")
        page = visitor.act(search=f"{shop.catalogue.products[0].title} {hostile}")
        assert "&lt;script&gt;alert(1)" in page
        assert "<script" not in page
        assert "<img" not in page
        assert "\x1b" not in page
        assert "default-src 'none'" in visitor.headers["Content-Security-Policy"]
        server.shutdown()


def test_the_oldest_visit_is_forgotten(shop, monkeypatch):
    monkeypatch.setattr(serve, "MOST_VISITS", 2)
    with ShopServer(shop, port=0) as server:
        names = [server.begin(0) for _ in range(3)]
        assert [server.shopper(name) is not None for name in names] == [False, True, True]


def test_a_port_that_is_taken_is_said(serving, shop):
    with pytest.raises(TaskDataError, match="cannot be served from"):
        ShopServer(shop, port=serving.server_address[1])
