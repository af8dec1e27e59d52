"""New ALFWorld games, made from what the `alfworld` wheel ships; nothing is downloaded.

A kind of room is furnished (layout), a goal that the furniture allows is drawn (goals), objects are laid out (scene),
and all of it is written as the released games are (problem), with the commands that win it (walkthrough), which are
played before the game is handed out (verification). The words are those of the released games.
"""

from spanwise.environments.alfworld.generate.files import write_games
from spanwise.environments.alfworld.generate.games import SPLITS, GeneratedGames

__all__ = ["SPLITS", "GeneratedGames", "write_games"]
