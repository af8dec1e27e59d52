"""ReAct's 250 published WebShop logs, played again: the shop is rebuilt from the pages that they show."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spanwise.environments.webshop.catalogue import Catalogue, Product
from spanwise.environments.webshop.goals import Goal
from spanwise.environments.webshop.nouns import WordNouns
from spanwise.environments.webshop.react import INVALID, ReactVisit
from spanwise.environments.webshop.reward import Scorer
from spanwise.environments.webshop.shop import Shop

SHARED = Path(os.environ.get("SPANWISE_SHARED_DATA", Path(__file__).parents[3] / "shared/data"))
LOGS = SHARED / "traces/react__WebShop_outputs_0_249.txt.gz"

_EPISODE = re.compile(r"^-{17}\n\d+\n", re.MULTILINE)
_TURN = re.compile(r"^Action: ([^\n]*)\nObservation: (.*?)\n\n(?=Action: |\d+ \d|\Z)", re.MULTILINE | re.DOTALL)
_RESULTS = re.compile(r"^\n\[Back to Search\] \nPage 1 \(Total results: (\d+)\) \n\[Next >\] (.*)$", re.DOTALL)
_RESULT = re.compile(r"\n\[(\w{10})\] \n(.*?) \n(\$.*?) (?=\n|$)", re.DOTALL)
_ITEM = re.compile(
    r"^\n\[Back to Search\] \n\[< Prev\] (?P<options>.*)\n(?P<title>[^\n]*) \nPrice: (?P<price>.*) \n"
    r"Rating: (?P<rating>.*) \n\[Description\] \n\[Features\] \n\[Reviews\] \n\[Buy Now\] $",
    re.DOTALL,
)
_OPTION = re.compile(r"\n([^\[\n]*) \[(.*)\]")


@dataclass
class RebuiltShop:
    """What the pages of one episode tell of the shop; it is its own search engine."""

    products: dict[str, Product] = field(default_factory=dict)
    found: dict[str, list[str]] = field(default_factory=dict)

    def learn(self, query: str, asin: str, observation: str) -> None:
        if (page := _RESULTS.match(observation)) is not None:
            total, results = int(page[1]), _RESULT.findall(page[2])
            self.found[query] = [name for name, _, _ in results] + [results[0][0]] * (total - len(results))
            for name, title, price in results:
                self.products.setdefault(name, _product(name, title, price, "N.A.", {}))
        elif (page := _ITEM.match(observation)) is not None:
            options = {name: tuple(values.split("][")) for name, values in _OPTION.findall(page["options"])}
            self.products[asin] = _product(asin, page["title"], page["price"], page["rating"], options)

    def search(self, query: str, k: int = 50) -> list[int]:
        numbers = {asin: number for number, asin in enumerate(self.products)}
        return [numbers[asin] for asin in self.found[query]]


def _product(asin: str, title: str, price: str, rating: str, options: dict[str, tuple[str, ...]]) -> Product:
    return Product(asin, title, "", (), "", "", "", price, (1.0,), options, (), rating)


def _episodes() -> Iterator[list[tuple[str, str]]]:
    with gzip.open(LOGS, "rt", encoding="utf-8") as file:
        text = file.read()
    for episode in _EPISODE.split(text)[1:]:
        yield _TURN.findall(episode)


def _rebuild(turns: list[tuple[str, str]]) -> RebuiltShop:
    shop = RebuiltShop()
    query = asin = ""
    for action, observation in turns:
        if observation == INVALID:
            continue
        if action.startswith("search["):
            query = action[7:-1]
        elif action.startswith("click[") and action[6:-1] in shop.products:
            asin = action[6:-1]
        shop.learn(query, asin, observation)
    return shop


@pytest.mark.skipif(not LOGS.exists(), reason=f"no logs of ReAct: {LOGS} (SPANWISE_SHARED_DATA) is missing")
def test_every_page_reads_as_in_the_logs():
    episodes = list(_episodes())
    wrong = []
    compared = 0
    for number, turns in enumerate(episodes):
        rebuilt = _rebuild(turns)
        catalogue = Catalogue("logs", tuple(rebuilt.products.values()), {}, {})
        first = turns[0][1]
        instruction = first.removeprefix("\nWebshop \nInstruction:  \n").removesuffix(" \n[Search] ")
        any_asin = next(iter(rebuilt.products), "")
        goal = Goal(any_asin, instruction, ("x",), 1.0, ())
        shop = Shop(catalogue, (goal,), rebuilt, Scorer(dict.fromkeys(rebuilt.products, 1.0), WordNouns()))
        visit = ReactVisit(shop, goal)
        for action, observation in turns:
            answer = visit.act(action) or INVALID
            if action == "click[Buy Now]" and observation != INVALID:
                answer, observation = answer[:31], (observation or "Your score (min 0.0, max 1.0): ")[:31]
            compared += 1
            if answer != observation:
                wrong.append((number, action, observation, answer))
                break
    assert len(episodes) == 250
    assert compared > 1900
    assert wrong == []
