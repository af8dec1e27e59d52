"""The WebShop expert's plan: search, look at what is promising, take the best that was seen, choose options, buy.

A product that has all wanted options within the limit, and says all that is claimed, is bought at once; while there is
none, the shopper goes on looking as long as the actions left suffice to come back to the best product and buy that.
"""

from __future__ import annotations

from dataclasses import dataclass

from spanwise.agents.experts.remarks import Remark
from spanwise.agents.experts.webshop import remarks as on
from spanwise.agents.experts.webshop.judge import Choice, Verdict, affordability, far_below, judge, kinship
from spanwise.agents.experts.webshop.memory import Candidate, Memory
from spanwise.agents.experts.webshop.pages import BACK, BUY, FEATURES, NEXT, PREVIOUS, Hit, Kind
from spanwise.agents.experts.webshop.queries import plan

#: A page of results that shows fewer is cut, as ReAct's are, and cannot be turned.
_FULL_PAGE = 10
#: Below this, a title is that of something else.
_OTHER = 0.8


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why."""

    remarks: tuple[Remark, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How much a shopper puts into an errand.

    Attributes:
        max_actions: Actions that the environment allows.
        patience: Actions after which nothing new is looked at if there is anything to buy.
        looks: Products looked at of one page of results, at most.
        looks_of_cut: The same where the page is cut to the first few, and there are other words to search with.
        pages: Pages of results looked at of one search, at most.
        reads: Whether the features are read, and what they do not say counts against a product.
    """

    max_actions: int = 15
    patience: int = 10
    looks: int = 4
    looks_of_cut: int = 1
    pages: int = 1
    reads: bool = True


class Shopper:
    """Decides one turn from what is remembered.

    Args:
        memory: What is known of the visit.
        habits: How much to put into it.
    """

    def __init__(self, memory: Memory, habits: Habits):
        self.memory = memory
        self.habits = habits
        self.errand = memory.errand
        self.verdicts = {asin: judge(memory.errand, one) for asin, one in memory.candidates.items()}
        #: The best product so far; of equals, the one seen first.
        self.best = max(memory.candidates, key=lambda asin: self.verdicts[asin].score, default="")

    def decide(self) -> Decision:
        """The next action, with the reason for it."""
        kinds = {
            Kind.SEARCH: self._search,
            Kind.RESULTS: self._results,
            Kind.ITEM: self._item,
            Kind.SUB_PAGE: self._sub_page,
        }
        return kinds.get(self.memory.page.kind, self._lost)()

    # Pages

    def _search(self) -> Decision:
        query = self._new_query()
        if self.best and (not query or not self._time_for(2, query, 1)):
            best = self.memory.candidates[self.best]
            return Decision((self._on_best(), Remark("search_again")), f"search[{best.query or best.item.title}]")
        searches = plan(self.errand)
        query = query or (searches[0] if searches else "product")
        first = on.on_errand(self.errand) if not self.memory.queries else Remark("other_words")
        return Decision((first, Remark("query_options" if self.errand.options else "query_claims")), f"search[{query}]")

    def _results(self) -> Decision:
        memory = self.memory
        promising = self._promising()
        if promising and self._time_for(1, memory.query, memory.number):
            return self._open(promising[0])
        further = bool(self._new_query()) and self._time_for(3, "", 1)
        if self.best in {hit.asin for hit in memory.page.hits} and not further:
            return Decision((self._on_best(), Remark("open_best")), f"click[{self.best}]")
        best = memory.candidates.get(self.best)
        if self._can_turn() or (best and best.query == memory.query and best.number > memory.number and not further):
            return Decision((self._on_rest(), Remark("turn")), f"click[{NEXT}]")
        gone = best is None or (best.query, best.number) == (memory.query, memory.number)
        if gone and not further and memory.page.hits:
            return self._open(memory.page.hits[0])
        return Decision((self._on_rest(), Remark("back_to_search")), f"click[{BACK}]")

    def _open(self, hit: Hit) -> Decision:
        before = self.memory.page.hits[: self.memory.page.hits.index(hit)]
        passed_over = any(one.asin not in self.memory.candidates for one in before)
        facts = on.on_hit(self.errand, hit, passed_over)
        return Decision((*facts, Remark("open_options" if self.errand.options else "open")), f"click[{hit.asin}]")

    def _item(self) -> Decision:
        memory = self.memory
        candidate = memory.candidates.get(memory.here)
        if candidate is None:
            return self._lost()
        verdict = self.verdicts[candidate.asin]
        if self._settled(candidate, verdict):
            return self._take(candidate, verdict)
        facts = on.on_item(self.errand, candidate, verdict)
        if self._should_read(candidate, verdict):
            return Decision((*facts, Remark("read", {"claims": on.listed(verdict.unsaid)})), f"click[{FEATURES}]")
        if self._promising() and self._time_for(2, memory.query, memory.number):
            return Decision((*facts, Remark("next_result")), f"click[{PREVIOUS}]")
        if self._new_query() and self._time_for(3, "", 1):
            return Decision((*facts, Remark("back_to_search")), f"click[{BACK}]")
        if candidate.asin == self.best:
            return self._take(candidate, verdict)
        best = memory.candidates[self.best]
        if (best.query, best.number) == (memory.query, memory.number):
            return Decision((*facts, self._on_best(), Remark("go_back")), f"click[{PREVIOUS}]")
        return Decision((*facts, self._on_best(), Remark("back_to_search")), f"click[{BACK}]")

    def _sub_page(self) -> Decision:
        candidate = self.memory.candidates.get(self.memory.here)
        if candidate is None:
            return Decision((Remark("back_to_product"),), f"click[{PREVIOUS}]")
        verdict = self.verdicts[candidate.asin]
        facts = on.on_features(verdict)
        leave = not self._settled(candidate, verdict) and not self._promising()
        if leave and self._new_query() and self._time_for(3, "", 1):
            return Decision((*facts, Remark("back_to_search")), f"click[{BACK}]")
        return Decision((*facts, Remark("back_to_product")), f"click[{PREVIOUS}]")

    def _lost(self) -> Decision:
        if self.memory.queries and not self._refused(f"click[{BACK}]"):
            return Decision((Remark("lost"),), f"click[{BACK}]")
        return self._search()

    def _take(self, candidate: Candidate, verdict: Verdict) -> Decision:
        """Chooses what is not chosen yet, then buys."""
        chosen = self.memory.chosen
        to_choose = [choice for choice in verdict.choices if self._can_choose(choice)]
        if to_choose and self.left > 1:
            choice = to_choose[0]
            facts = (Remark("chosen", {"values": on.listed(chosen)}),) if chosen else self._on_item(candidate, verdict)
            words = {"name": choice.name, "wanted": choice.wanted, "value": choice.offered}
            remark = Remark("choose" if choice.exact else "choose_near", words)
            return Decision((*facts, remark), f"click[{choice.offered}]")
        return Decision((*on.on_purchase(candidate, verdict, chosen), Remark("buy")), f"click[{BUY}]")

    def _can_choose(self, choice: Choice) -> bool:
        chosen = {value.strip().lower() for value in self.memory.chosen}
        value = choice.offered.strip().lower()
        return bool(value) and value not in chosen and not self._refused(f"click[{choice.offered}]")

    # What is worth doing

    def _settled(self, candidate: Candidate, verdict: Verdict) -> bool:
        """Whether a product is taken without a look at others."""
        if self.left <= self._to_buy(candidate.asin) + 1:
            return True
        fits = not verdict.missing and verdict.affordable == 1.0 and verdict.kind == 1.0
        return fits and not (self.habits.reads and verdict.unsaid)

    def _should_read(self, candidate: Candidate, verdict: Verdict) -> bool:
        """Whether the features are to be read: the options fit, and claims are open."""
        if not self.habits.reads or candidate.read or verdict.missing or not verdict.affordable:
            return False
        if self._refused(f"click[{FEATURES}]"):
            return False
        return bool(verdict.unsaid) and self.left >= 3 + self._to_best_from("", 0) + self._to_buy(candidate.asin)

    def _promising(self) -> list[Hit]:
        """Results of the page seen last that are worth a look, those first that look right by title and price."""
        memory = self.memory
        here = (one for one in memory.candidates.values() if (one.query, one.number) == (memory.query, memory.number))
        cut = len(memory.last_hits) < _FULL_PAGE and bool(self._new_query())
        if sum(1 for _ in here) >= (self.habits.looks_of_cut if cut else self.habits.looks):
            return []
        return self._worth_a_look()

    def _worth_a_look(self) -> list[Hit]:
        hits = (
            hit
            for hit in self.memory.last_hits
            if hit.asin not in self.memory.candidates
            and affordability(hit.price, self.errand.limit) > 0
            and not self._refused(f"click[{hit.asin}]")
        )
        return sorted(hits, key=self._oddity)

    def _oddity(self, hit: Hit) -> int:
        """0 for what looks right."""
        return far_below(hit.price, self.errand.limit) + 2 * (kinship(self.errand, hit.title) < _OTHER)

    def _new_query(self) -> str:
        """The next search that was not tried."""
        used = {query.lower() for query in self.memory.queries}
        fresh = (query for query in plan(self.errand) if query.lower() not in used)
        return next((query for query in fresh if not self._refused(f"search[{query}]")), "")

    def _can_turn(self) -> bool:
        memory = self.memory
        full = memory.number < self.habits.pages and len(memory.last_hits) >= _FULL_PAGE
        return full and not self._refused(f"click[{NEXT}]") and self._time_for(2, memory.query, memory.number + 1)

    def _refused(self, action: str) -> bool:
        return (self.memory.place, action) in self.memory.refused

    # What things cost, in actions

    @property
    def left(self) -> int:
        """Actions left."""
        return self.habits.max_actions - self.memory.turns

    def _to_buy(self, asin: str) -> int:
        """From a product's page."""
        return sum(bool(choice.offered) for choice in self.verdicts[asin].choices) + 1 if asin else 0

    def _to_best_from(self, query: str, number: int) -> int:
        """From a page of results to the best product's page."""
        if not self.best:
            return 0
        best = self.memory.candidates[self.best]
        return 1 if (best.query, best.number) == (query, number) else 2 + max(best.number, 1)

    def _time_for(self, looking: int, query: str, number: int) -> bool:
        """Whether there is time to look at one thing more, and still to buy the best that is known.

        Args:
            looking: Actions until the new product's page is there.
            query: The results that it is found in.
            number: Page of these.
        """
        if self.best and self.memory.turns >= self.habits.patience:
            return False
        return self.left >= looking + 1 + self._to_best_from(query, number) + max(self._to_buy(self.best), 2)

    # What is said

    def _on_best(self) -> Remark:
        return on.on_best(self.memory.candidates[self.best], self.verdicts[self.best])

    def _on_item(self, candidate: Candidate, verdict: Verdict) -> tuple[Remark, ...]:
        facts = on.on_item(self.errand, candidate, verdict)
        return facts if self._settled(candidate, verdict) else (*facts, Remark("settle"))

    def _on_rest(self) -> Remark:
        """On the results that are not looked at."""
        return Remark("enough" if self._worth_a_look() else "none_here")
