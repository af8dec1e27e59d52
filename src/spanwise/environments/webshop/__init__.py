"""WebShop: buying what an instruction asks for, in a shop of products, options and prices.

``catalogue`` (product files) and ``generate`` (a shop of our own) give products, ``goals`` the errands, ``search`` the
results, ``reward`` the score of a purchase. ``shop`` is where a visit goes, by the original's rules, and ``react`` by
those of ReAct's agents; ``observations`` writes pages down; ``tasks`` is what the rest of the package sees.

Source: WebShop (arXiv 2207.01206).
"""
