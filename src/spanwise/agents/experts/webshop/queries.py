"""What to type into the search box, in the order in which it is tried."""

from __future__ import annotations

from spanwise.agents.experts.webshop.errand import Errand

#: So many options find a product by themselves.
_MANY_OPTIONS = 3


def plan(errand: Errand) -> tuple[str, ...]:
    """Searches for an errand, best first, all different.

    Options tell products apart, so their values stand twice in a query; the more options there are, the less the kind
    and the claims, which many products share, help. Where there is no option, the kind stands twice.
    """
    kind, text = errand.kind, errand.text
    if errand.spoken:
        return _distinct(kind, text)
    values = " ".join(value for _, value in errand.options)
    options = ", ".join(f"{name}: {value}" for name, value in errand.options)
    claims = " ".join(errand.claims)
    by_options = f"{kind} {values}, {options}"
    by_all = f"{kind} {claims} {values}, {options}, {values}"
    by_claims = f"{claims} {values}, {options}, {values}"
    if not errand.options:
        return _distinct(f"{kind}, {kind} {claims}", claims, kind)
    if len(errand.options) < _MANY_OPTIONS:
        return _distinct(by_all, by_options, by_claims)
    return _distinct(options, by_all, by_options)


def _distinct(*queries: str) -> tuple[str, ...]:
    cleaned = (" ".join(query.replace("[", " ").replace("]", " ").split()).rstrip(", ") for query in queries)
    return tuple(dict.fromkeys(query for query in cleaned if query))
