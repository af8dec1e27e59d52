"""An encyclopedia about invented people, places and works, and questions whose answers follow from two articles.

Names are put together from parts that all splits share, in ways that none shares with another (names); a region's
entities and their facts are drawn (region), articles are written about them (articles, in the words of people and
things), and questions are asked that one article does not answer (questions, in the words of wording).
"""

from spanwise.environments.hotpotqa.generate.world import World, generate_world

__all__ = ["World", "generate_world"]
