"""How the WebShop expert says what it thinks: few words, in two or three ways each."""

from __future__ import annotations

from collections.abc import Sequence

from spanwise.agents.experts.remarks import Remark, put_in_words

TEMPLATES: dict[str, tuple[str, ...]] = {
    "errand": ("I need {errand}.", "I am asked for {errand}."),
    "query_options": (
        "The options tell products apart best, so I search with them.",
        "I search with the options, which few products share.",
    ),
    "query_claims": ("I search for the kind and what it must be.", "I search with all of these words."),
    "other_words": ("I try other words.", "Now with other words.", "Other words may find it."),
    "search_again": ("I repeat the search that found it.", "I search as I did when I found it."),
    "hit": ("{asin}, {title}, costs {price}.", "{asin} is {title} for {price}."),
    "title_says": ("Its title says {claims}.", "The title speaks of {claims}."),
    "hit_within": ("That is below {limit}.", "It is within {limit}."),
    "hit_far_below": ("That is far below {limit}, but it may do.", "It is much cheaper than {limit}, but let me see."),
    "hit_perhaps": ("Some of that is above {limit}.", "Not all of it is below {limit}."),
    "hit_too_dear": ("That is above {limit}.",),
    "within": ("Its price, {price}, is below {limit}.", "It costs {price}, below {limit}."),
    "perhaps": ("Its price, {price}, may be above {limit}.", "It costs {price}, which may be above {limit}."),
    "too_dear": ("Its price, {price}, is above {limit}.", "It costs {price}, above {limit}."),
    "passed_over": ("The ones before it look less likely by price or title.",),
    "open_options": ("I open it to see whether it has my options.", "I look at its options."),
    "open": ("I look at it.", "I open it."),
    "has": ("It comes in {values}.", "It can be had in {values}."),
    "has_not": ("There is no {values}.", "I see no {values}."),
    "says_all": ("It says all that I was asked for.", "All the claims were there."),
    "says_not": ("It did not say {claims}.", "I read nothing of {claims}."),
    "read": ("Is it {claims}? I read the features.", "I read the features for {claims}."),
    "said": ("I read of {claims}.", "The features or the title say {claims}."),
    "unsaid": ("But there is nothing of {claims}.", "There is no word of {claims}."),
    "unsaid_all": ("I read nothing of {claims}.", "The features do not say {claims}."),
    "next_result": ("I go back for the next result.", "I go back to the other results."),
    "back_to_search": ("I go back to search again.", "I go back to the search page."),
    "back_to_product": ("I go back to the product.", "Back to the product."),
    "go_back": ("I go back to it.",),
    "best": ("The best so far is {asin}, {title}.", "{asin}, {title}, is the best that I saw."),
    "best_fits": (
        "The best so far is {asin}, {title}: it has the options.",
        "{asin}, {title}, has the options and is the best that I saw.",
    ),
    "best_lacks": (
        "The best so far is {asin}, {title}, though not in {lacks}.",
        "{asin}, {title}, is the best that I saw, but not for its {lacks}.",
    ),
    "open_best": ("I open it again.", "I take that one."),
    "enough": ("The other results here look less likely.", "I saw the likeliest results of this page."),
    "none_here": ("No other result here is worth a look.", "There is nothing else here for me."),
    "turn": ("I turn to the next page.",),
    "settle": ("I saw nothing better, so I take it.", "I found none that fits better."),
    "choose": ("I choose {name} {value}.", "Next is {name}: {value}."),
    "choose_near": ("Nearest to {name} {wanted} is {value}, so I choose that.",),
    "chosen": ("I have chosen {values}.", "Chosen: {values}."),
    "all_chosen": ("I have chosen {values}, for {price}.", "Chosen: {values}, for {price}."),
    "nothing_to_choose": ("There is nothing that I must choose, and it costs {price}.",),
    "compromise": ("It lacks {lacks}, but I saw nothing better.", "But for {lacks} it fits best of what I saw."),
    "buy": ("I buy it.", "So I buy it."),
    "lost": ("That did not work. I go back to search.",),
}


def word(remarks: Sequence[Remark], seed: int, step: int) -> str:
    """A thought: the remarks in order, each in one of its wordings, which seed and step choose."""
    return put_in_words(remarks, TEMPLATES, seed, step)
