"""What a purchase is worth: how much of the errand it fulfils, from 0 to 1.

reward = type x (attributes matched + options matched + price within the limit) / (attributes + options + 1)

Type is 1, 0.5, 0.1 or 0 by how alike purchase and wanted product are called. ``upstream`` scores options as the
original does, defect included: a synthetic goal's options reach its matcher as pairs of name and value, so their
colours are not brought to plain names as those of the purchase are, and some goals cannot reach 1. ``fixed`` compares
values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

from rapidfuzz import fuzz, utils

from spanwise.environments.webshop.catalogue import Product
from spanwise.environments.webshop.goals import Goal

#: Shares of the wanted title's nouns in the purchase's, below which a purchase is of another type.
_ALIKE, _HARDLY_ALIKE = 0.2, 0.1
#: The title's share where the wanted title has no noun.
_NO_NOUNS = 0.2
#: Above this, of 100, two phrases are said to match.
_MATCH = 85
_CATEGORY_SEPARATOR = "›"

#: thefuzz drops these, and only these, where it is told to keep to ASCII.
_NOT_ASCII = dict.fromkeys(range(128, 256))

#: A text that holds one of these, in this order, is that colour.
COLORS = tuple(
    re.findall(
        r"\w+",
        """
        alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown burgundy camel camo
        caramel champagne charcoal cheetah chestnut chocolate christmas coffee cognac copper coral cranberry cream
        crystal dark denim eggplant elephant espresso fuchsia gold granite grape graphite grass gray green grey heather
        indigo ivory ivy khaki lavender lemon leopard light lilac lime magenta maroon mauve merlot midnight mint mocha
        multicolor mushroom mustard natural navy nude olive orange peach pewter pink plum purple rainbow red rose royal
        rust sand sapphire seashell silver skull slate steel stone stonewash sunflower tan taupe teal tiger turquoise
        violet walnut wheat white wine yellow
        """,
    )
)


class NounFinder(Protocol):
    """Where the nouns of a product's title come from."""

    @property
    def source(self) -> str:
        """What finds them, for the record of a run."""
        ...

    def nouns(self, product: Product) -> tuple[str, ...]:
        """The nouns of its title in lower case, each as often as it stands there."""
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """A purchase, judged.

    Attributes:
        reward: From 0 to 1.
        type: 1, 0.5, 0.1 or 0.
        title: Share of the wanted title's nouns that are in the purchase's.
        same_query: Both were found by the same search.
        same_category: At least two categories are on both paths.
        attributes: Wanted attributes that the purchase has.
        options: Wanted options that were chosen.
        price: It costs no more than the limit.
    """

    reward: float
    type: float
    title: float
    same_query: bool
    same_category: bool
    attributes: int
    options: int
    price: bool


@dataclass(frozen=True)
class Scorer:
    """Judges purchases from one catalogue; what it finds out of products is kept.

    Attributes:
        prices: What each product costs, by asin.
        finder: Knows the nouns of titles.
        kind: ``upstream`` or ``fixed``.
    """

    prices: Mapping[str, float]
    finder: NounFinder
    kind: str = "upstream"
    _facts: dict[str, _Facts] = field(default_factory=dict, repr=False)

    def score(self, goal: Goal, wanted: Product, bought: Product, chosen: Iterable[str]) -> Score:
        """What buying ``bought`` with the options ``chosen`` is worth to one who was sent for ``wanted``.

        Args:
            goal: The errand.
            wanted: The product that the goal was made from.
            bought: The purchase.
            chosen: Values of the options.
        """
        of_wanted, of_bought = self._known(wanted), self._known(bought)
        same_query = bought.query == wanted.query
        same_category = len(of_bought.categories & of_wanted.categories) >= 2
        title = (
            len(of_bought.distinct_nouns & of_wanted.distinct_nouns) / len(of_wanted.nouns)
            if of_wanted.nouns
            else _NO_NOUNS
        )
        type_ = _type(title, same_query or same_category)
        attributes = sum(map(of_bought.claims, goal.attributes))
        options = _MATCHERS[self.kind](goal, chosen)
        price = self.prices[bought.asin] <= goal.price_upper
        parts = len(goal.attributes) + len(goal.options) + 1
        reward = (attributes + options + price) / parts * type_
        return Score(reward, type_, title, same_query, same_category, attributes, options, price)

    def _known(self, product: Product) -> _Facts:
        facts = self._facts.get(product.asin)
        if facts is None:
            facts = self._facts[product.asin] = _Facts(product, self.finder.nouns(product))
        return facts


class _Facts:
    """What the reward needs of a product, found out once."""

    def __init__(self, product: Product, nouns: tuple[str, ...]):
        self._product = product
        self.nouns = nouns
        self.distinct_nouns = frozenset(nouns)
        self.categories = frozenset(part.strip() for part in product.product_category.split(_CATEGORY_SEPARATOR))
        self._claims: dict[str, bool] = {}

    def claims(self, attribute: str) -> bool:
        """Whether the product has an attribute: among its own, or anywhere in its text."""
        if attribute not in self._claims:
            self._claims[attribute] = any(alike(own, attribute) for own in self._product.attributes) or any(
                attribute in text for text in self._texts
            )
        return self._claims[attribute]

    @cached_property
    def _texts(self) -> tuple[str, str, str]:
        product = self._product
        return product.title.lower(), " ".join(product.bullets).lower(), product.description.lower()


def color_of(text: str) -> str:
    """The first of ``COLORS`` that a text holds; the text itself where it holds none."""
    return next((color for color in COLORS if color in text), text)


@lru_cache(maxsize=1 << 16)
def alike(first: str, second: str) -> bool:
    """Whether two phrases share their words, nearly: thefuzz's ``token_set_ratio``, rounded, is above 85."""
    first, second = (utils.default_process(text.translate(_NOT_ASCII)) for text in (first, second))
    return round(fuzz.token_set_ratio(first, second)) > _MATCH


def _type(title: float, found_alike: bool) -> float:
    if title == 0:
        return 0.0
    if title < _HARDLY_ALIKE:
        return 0.1
    return 1.0 if found_alike or title > _ALIKE else 0.5


def _match_pairs(goal: Goal, chosen: Iterable[str]) -> int:
    """Wanted options that were chosen, where the wanted ones are pairs: only a value that is a bare colour is read."""
    return _matches((_pair_text(name, value) for name, value in goal.options), chosen)


def _match_values(goal: Goal, chosen: Iterable[str]) -> int:
    """Wanted options that were chosen."""
    return _matches((color_of(value) for _, value in goal.options), chosen)


def _matches(wanted: Iterable[str], chosen: Iterable[str]) -> int:
    plain = [color_of(value) for value in chosen]
    return sum(any(alike(value, want) for value in plain) for want in wanted)


def _pair_text(name: str, value: str) -> str:
    """How the original writes a wanted option when it compares it; people's goals have values only."""
    if not name:
        return color_of(value)
    color = next((color for color in COLORS if color in (name, value)), None)
    return str((name, value)) if color is None else color


_MATCHERS: Mapping[str, Callable[[Goal, Iterable[str]], int]] = {"upstream": _match_pairs, "fixed": _match_values}
