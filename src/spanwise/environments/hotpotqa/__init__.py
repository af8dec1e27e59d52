"""Questions whose answers follow from two articles, over a local encyclopedia: HotPotQA as ReAct's agents play it."""
