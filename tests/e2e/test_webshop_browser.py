"""The served shop in a real browser: search, page, options, purchase, reward."""

import json
import threading

import pytest
from tests.e2e.chromium import CHROMIUM, Browser

from spanwise.config import EnvironmentConfig
from spanwise.environments.webshop.serve import ShopServer
from spanwise.environments.webshop.tasks import WebshopTasks

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser to visit the shop: chromium is not on the PATH")


@pytest.fixture(scope="module")
def shop():
    settings = {"name": "webshop", "source": "generated", "webshop": {"products": 60}}
    return WebshopTasks(EnvironmentConfig.model_validate(settings)).shop


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


@pytest.fixture
def address(shop):
    with ShopServer(shop, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


def click(browser, selector):
    """Clicks an element, and waits for the page that follows."""
    browser.run("document.documentElement.dataset.old = 1")
    browser.run(f"document.querySelector({json.dumps(selector)}).click()")
    # Between two pages there is a moment without a document.
    fresh = "document.documentElement && !document.documentElement.dataset.old"
    browser.wait(f"{fresh} && document.readyState === 'complete'")


def test_a_goal_is_bought(browser, address, shop):
    number = next(n for n, goal in enumerate(shop.goals) if goal.options)
    goal = shop.goals[number]
    browser.open(address)
    browser.run(f"document.getElementById('goal').value = {number}")
    click(browser, "form button")
    assert browser.text("#goal") == goal.text
    wanted = shop.catalogue.product(goal.asin, "")
    browser.run(f"document.getElementById('search').value = {json.dumps(wanted.title)}")
    click(browser, "form.row button")
    click(browser, f"button[value={json.dumps(goal.asin)}]")
    assert wanted.title in browser.text("#page")
    for _, value in goal.options:
        option = f"button[value={json.dumps(value)}]"
        click(browser, option)
        assert browser.run(f"document.querySelector({json.dumps(option)}).ariaPressed") == "true"
    click(browser, "button[value='Buy Now']")
    assert 0 < float(browser.text("#reward")) <= 1
    assert browser.text("#done").count("\n") + 1 == 3 + len(goal.options)
    assert browser.problems() == []
