"""Nouns of product titles, as the reward's title score compares them: from a file, from spaCy, or by a rule of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from spanwise.environments.webshop.catalogue import Catalogue, Product
from spanwise.environments.webshop.reward import NounFinder
from spanwise.errors import TaskDataError

SPACY_MODEL = "en_core_web_sm"
_NOUN_TAGS = ("NOUN", "PROPN")

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
#: Words of titles that are no nouns: joiners, sizes, and what shops praise with.
_NO_NOUNS = frozenset(
    re.findall(
        r"[\w']+",
        """
        a an and are as at be best big black blue brown by casual classic clear cool cute dark durable easy elegant
        extra fashion for free fresh from full gold gray green grey heavy high in is it large light long low men's mens
        mini more natural new no non not of off on or orange organic our out over perfect pink portable premium pure
        purple red set short silver slim small soft solid super than that the their this to ultra up use vintage warm
        waterproof white wide with without women's womens yellow you your
        """,
    )
)


@dataclass(frozen=True)
class KnownNouns:
    """Nouns that a file lists (``title_nouns.json``)."""

    by_asin: Mapping[str, tuple[str, ...]]
    catalogue: str
    source: str = "title_nouns.json"

    def nouns(self, product: Product) -> tuple[str, ...]:
        """What the file lists for the product.

        Raises:
            TaskDataError: The file does not list it.
        """
        if product.asin not in self.by_asin:
            raise TaskDataError(
                f"{self.catalogue}: title_nouns.json has no nouns for asin {product.asin}; it must be of this "
                'catalogue, or use environment.webshop.nouns = "spacy" or "words"'
            )
        return self.by_asin[product.asin]


@dataclass(frozen=True)
class SpacyNouns:
    """Nouns as spaCy tags them."""

    pipeline: Any
    source: str

    def nouns(self, product: Product) -> tuple[str, ...]:
        """The title's tokens that spaCy tags as nouns or names."""
        return tuple(token.text.lower() for token in self.pipeline(product.title) if token.pos_ in _NOUN_TAGS)


@dataclass(frozen=True)
class WordNouns:
    """All words but those that are known to be none; nothing to install, and an approximation: 88 of 100 of the
    original's recorded purchases are given the same type."""

    source: str = "words"
    _stop: frozenset[str] = field(default=_NO_NOUNS, repr=False)

    def nouns(self, product: Product) -> tuple[str, ...]:
        """The title's words but those that are known to be no nouns."""
        words = (word.lower() for word in _WORD.findall(product.title))
        return tuple(word for word in words if word not in self._stop and len(word) > 1)


def make_finder(catalogue: Catalogue, choice: str) -> NounFinder:
    """What finds nouns.

    Args:
        catalogue: The stock, with the nouns that its folder lists.
        choice: ``auto``: the folder's, or else spaCy's; ``spacy``; ``words``.

    Raises:
        TaskDataError: What was chosen is not there.
    """
    if choice == "words":
        return WordNouns()
    if choice == "auto" and catalogue.nouns:
        return KnownNouns(catalogue.nouns, catalogue.source)
    try:
        import spacy

        pipeline = spacy.load(SPACY_MODEL)
    except (ImportError, OSError) as error:
        raise TaskDataError(
            f"{catalogue.source}: the title score needs the nouns of titles: the folder has no title_nouns.json, and "
            f"spaCy's model {SPACY_MODEL} is not there ({error!s:.80}); install it (pip install 'spanwise[webshop]'; "
            f'python -m spacy download {SPACY_MODEL}), or use environment.webshop.nouns = "words", an approximation'
        ) from error
    return SpacyNouns(pipeline, f"spaCy {version('spacy')} {SPACY_MODEL} {pipeline.meta['version']}")
