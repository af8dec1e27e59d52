"""Goals: what a shopper is sent for, in the order in which the original numbers them, and how they are split.

The original draws prices and price limits with ``random`` as it finds it, then seeds it with 233 and shuffles; with the
same seed at the start, or the same prices, these are its goals.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import SupportsIndex

from spanwise.environments.webshop.catalogue import Catalogue, Instruction, Product, draw_prices
from spanwise.errors import TaskDataError

SPLITS = ("test", "valid", "train")

#: Where the paper's splits begin and end among the shuffled goals.
TEST_END, VALID_END = 500, 1500

#: Share of the products that each of test and valid has where splits share none.
_DISJOINT_SHARE = 0.15

NO_LIMIT = 1_000_000
_SHUFFLE_SEED = 233
_LIMITS = [10.0 * tens for tens in range(1, 100)]
#: A limit is one of the next so many multiples of ten dollars above the price.
_LIMITS_ABOVE = 4


@dataclass(frozen=True, slots=True)
class Goal:
    """One errand, and what the reward holds a purchase against.

    Attributes:
        asin: The product that it was made from.
        text: What the shopper is told.
        attributes: What the purchase must claim.
        price_upper: What it may cost, in dollars.
        options: What must be chosen: name -> value; names are "" where people wrote the goal and named none.
        weight: How often the original draws it where it draws goals.
    """

    asin: str
    text: str
    attributes: tuple[str, ...]
    price_upper: float
    options: tuple[tuple[str, str], ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Leakage:
    """How much of a split was seen in another.

    Attributes:
        split: The split that is judged.
        against: The split that is learnt from.
        goals: Goals of the split.
        same_product: Those whose product is that of a goal of ``against``.
        same_text: Those whose text is that of one.
    """

    split: str
    against: str
    goals: int
    same_product: int
    same_text: int


def make_goals(catalogue: Catalogue, kind: str, seed: int) -> tuple[tuple[Goal, ...], Mapping[str, float]]:
    """The goals of a catalogue, in the original's order, and the prices that it draws on the way, by asin.

    Args:
        catalogue: The stock.
        kind: ``synthetic`` or ``human``.
        seed: What the original would have given ``random.seed`` before it starts. Where the catalogue brings prices,
            those count; the limits are drawn as if they had been drawn.

    Raises:
        TaskDataError: The catalogue has no such goals, or a price is missing.
    """
    draw = Random(seed)
    draw.getrandbits(32)  # one word is gone before the original draws its first price
    drawn = draw_prices(catalogue.products, draw)
    prices = catalogue.prices or drawn
    missing = next((product.asin for product in catalogue.products if product.asin not in prices), None)
    if missing is not None:
        raise TaskDataError(
            f"{catalogue.source}: prices.json has no price for asin {missing}; it must be of this catalogue"
        )
    goals = _MAKERS[kind](catalogue, prices, draw)
    if not goals:
        raise TaskDataError(
            f'{catalogue.source}: there are no {kind} instructions for its products; use environment.webshop.goals = "'
            f'{"human" if kind == "synthetic" else "synthetic"}"'
        )
    Random(_SHUFFLE_SEED).shuffle(goals)
    return tuple(goals), prices


def goal_at(goals: Sequence[Goal], index: SupportsIndex) -> Goal:
    """The goal of a number, which may be an integer of any type.

    Raises:
        TaskDataError: There is none of that number.
    """
    number = operator.index(index)
    if not 0 <= number < len(goals):
        raise TaskDataError(f"there is no goal {number}; there are {len(goals):,}, numbered from 0")
    return goals[number]


def split_goals(goals: Sequence[Goal], scheme: str) -> dict[str, tuple[int, ...]]:
    """The numbers of the goals of each split.

    Args:
        goals: All of them, in order.
        scheme: ``paper``: 0-499 test, 500-1499 valid, the rest train. ``product_disjoint``: no product in two splits.
    """
    return _SCHEMES[scheme](goals)


def leakage(goals: Sequence[Goal], splits: Mapping[str, Sequence[int]]) -> list[Leakage]:
    """How many goals of test and valid share a product, or their whole text, with one of train."""
    products = {goals[number].asin for number in splits["train"]}
    texts = {goals[number].text for number in splits["train"]}
    return [
        Leakage(
            split,
            "train",
            len(splits[split]),
            sum(goals[number].asin in products for number in splits[split]),
            sum(goals[number].text in texts for number in splits[split]),
        )
        for split in ("test", "valid")
    ]


def _synthetic(catalogue: Catalogue, prices: Mapping[str, float], draw: Random) -> list[Goal]:
    """One goal for each combination of a product's options; they share its price limit and its weight."""
    wanted = [product for product in catalogue.products if product.asin in catalogue.synthetic]
    count: Counter[str] = Counter()
    for product in wanted:
        combinations = math.prod(map(len, product.options.values()))
        for attribute in catalogue.synthetic[product.asin].attributes:
            count[attribute] += combinations
    goals = []
    for product in wanted:
        instruction = catalogue.synthetic[product.asin]
        limit, limit_text = _price_limit(prices[product.asin], draw)
        combinations = _combinations(product)
        if not combinations:  # an option without a value
            continue
        weight = sum(1.0 / count[one] for one in instruction.attributes) / len(instruction.attributes)
        for options in combinations:
            named = ", and ".join(f"{name}: {value}" for name, value in options)
            text = f"{instruction.text}{f' with {named}' if named else ''}{limit_text}"
            goals.append(Goal(product.asin, text, instruction.attributes, limit, options, weight))
    return goals


def _combinations(product: Product) -> list[tuple[tuple[str, str], ...]]:
    names = sorted(product.options)
    values = itertools.product(*(product.options[name] for name in names))
    return [tuple(zip(names, combination, strict=True)) for combination in values]


def _human(catalogue: Catalogue, prices: Mapping[str, float], draw: Random) -> list[Goal]:
    return [
        _human_goal(instruction, *_price_limit(prices[product.asin], draw))
        for product in catalogue.products
        for instruction in catalogue.human.get(product.asin, ())
        if instruction.attributes
    ]


def _human_goal(instruction: Instruction, limit: float, limit_text: str) -> Goal:
    return Goal(
        instruction.asin,
        instruction.text.strip(".") + limit_text,
        instruction.attributes,
        limit,
        tuple(("", value) for value in instruction.options),
    )


def _price_limit(price: float, draw: Random) -> tuple[float, str]:
    """The larger of two limits drawn from those just above the price, and how it is said; no limit for dear things."""
    above = [limit for limit in _LIMITS if limit > price][:_LIMITS_ABOVE]
    if len(above) < 2:
        return NO_LIMIT, ""
    limit = max(draw.sample(above, 2))
    return limit, f", and price lower than {limit:.2f} dollars"


def _paper(goals: Sequence[Goal]) -> dict[str, tuple[int, ...]]:
    numbers = tuple(range(len(goals)))
    return {"test": numbers[:TEST_END], "valid": numbers[TEST_END:VALID_END], "train": numbers[VALID_END:]}


def _product_disjoint(goals: Sequence[Goal]) -> dict[str, tuple[int, ...]]:
    """Products are dealt out, 15 of 100 to test, as many to valid; their goals go with them, however many they are."""
    products = sorted({goal.asin for goal in goals})
    Random(_SHUFFLE_SEED).shuffle(products)
    share = max(1, round(_DISJOINT_SHARE * len(products)))
    split_of = dict.fromkeys(products, "train")
    split_of |= dict.fromkeys(products[:share], "test")
    split_of |= dict.fromkeys(products[share : 2 * share], "valid")
    return {
        split: tuple(number for number, goal in enumerate(goals) if split_of[goal.asin] == split) for split in SPLITS
    }


_MAKERS = {"synthetic": _synthetic, "human": _human}
_SCHEMES = {"paper": _paper, "product_disjoint": _product_disjoint}
