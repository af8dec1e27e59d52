"""What there is to say: remarks on the errand, on results, on a product; only what was asked for or seen."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.remarks import Remark
from spanwise.agents.experts.webshop.errand import Errand
from spanwise.agents.experts.webshop.judge import Verdict, affordability, far_below, says
from spanwise.agents.experts.webshop.memory import Candidate
from spanwise.agents.experts.webshop.pages import Hit, Price

#: What thoughts quote of a title, and how much of a longer list of claims or options.
_TITLE_WORDS = 6
_LISTED = 3


def on_errand(errand: Errand) -> Remark:
    """What is asked for."""
    parts = [errand.kind or "a product"]
    if errand.claims:
        parts.append(listed(errand.claims))
    if errand.options:
        parts.append(listed([f"{name} {value}" for name, value in errand.options]))
    if errand.limit is not None:
        parts.append(f"below {dollars(errand.limit)}")
    return Remark("errand", {"errand": "; ".join(parts)})


def on_hit(errand: Errand, hit: Hit, passed_over: bool) -> tuple[Remark, ...]:
    """Why a result is looked at: its price, and what its title says.

    Args:
        errand: What is asked for.
        hit: The result.
        passed_over: Results before it look less likely.
    """
    remarks = [Remark("hit", {"asin": hit.asin, "title": short(hit.title), "price": hit.price.tag})]
    said = [claim for claim in errand.claims if says(hit.title, claim)]
    if said:
        remarks.append(Remark("title_says", {"claims": listed(said)}))
    if errand.limit is not None and hit.price.high:
        key = "far_below" if far_below(hit.price, errand.limit) else _price_key(errand, hit.price)
        remarks.append(Remark(f"hit_{key}", {"limit": dollars(errand.limit)}))
    if passed_over:
        remarks.append(Remark("passed_over"))
    return tuple(remarks)


def on_item(errand: Errand, candidate: Candidate, verdict: Verdict) -> tuple[Remark, ...]:
    """What a product's page has of what was asked for, and what it has not."""
    remarks = []
    if had := [choice.offered for choice in verdict.choices if choice.exact]:
        remarks.append(Remark("has", {"values": listed(had)}))
    if verdict.missing:
        remarks.append(Remark("has_not", {"values": listed([f"{one.name} {one.wanted}" for one in verdict.missing])}))
    if candidate.read and not verdict.missing:
        key = "says_not" if verdict.unsaid else "says_all"
        remarks.append(Remark(key, {"claims": listed(verdict.unsaid)}))
    elif errand.limit is not None and candidate.item.price.high:
        words = {"price": candidate.item.price.tag, "limit": dollars(errand.limit)}
        remarks.append(Remark(_price_key(errand, candidate.item.price), words))
    return tuple(remarks)


def on_features(verdict: Verdict) -> tuple[Remark, ...]:
    """What was read of the claims, and what was not."""
    remarks = []
    if verdict.said:
        remarks.append(Remark("said", {"claims": listed(verdict.said)}))
    if verdict.unsaid:
        remarks.append(Remark("unsaid" if verdict.said else "unsaid_all", {"claims": listed(verdict.unsaid)}))
    return tuple(remarks)


def on_best(candidate: Candidate, verdict: Verdict) -> Remark:
    """Which product is the best so far, and what it lacks."""
    words = {"asin": candidate.asin, "title": short(candidate.item.title)}
    if verdict.missing:
        return Remark("best_lacks", {**words, "lacks": " or ".join(one.name for one in verdict.missing)})
    return Remark("best_fits" if verdict.choices else "best", words)


def on_purchase(candidate: Candidate, verdict: Verdict, chosen: Sequence[str]) -> tuple[Remark, ...]:
    """What is bought, and what it lacks."""
    key = "all_chosen" if chosen else "nothing_to_choose"
    remarks = [Remark(key, {"values": listed(chosen), "price": candidate.item.price.tag})]
    lacks = [f"{one.name} {one.wanted}" for one in verdict.missing if not one.offered]
    lacks += verdict.unsaid if candidate.read else ()
    if lacks:
        remarks.append(Remark("compromise", {"lacks": listed(lacks)}))
    return tuple(remarks)


def _price_key(errand: Errand, price: Price) -> str:
    share = affordability(price, errand.limit)
    return "within" if share == 1.0 else "perhaps" if share else "too_dear"


def dollars(amount: float) -> str:
    """An amount as shops write it."""
    return f"${amount:.2f}"


def short(title: str) -> str:
    """The beginning of a title."""
    return " ".join(title.split()[:_TITLE_WORDS]).rstrip(" ,;:-(|.") or "a product without a title"


def listed(values: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``, ``a, b, c and 4 more``."""
    if len(values) < 2:
        return "".join(values) or "nothing"
    if len(values) > _LISTED + 1:
        return f"{', '.join(values[:_LISTED])} and {len(values) - _LISTED} more"
    return f"{', '.join(values[:-1])} and {values[-1]}"
