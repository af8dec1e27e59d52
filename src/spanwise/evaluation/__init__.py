"""How well an agent plays: episodes, metrics with intervals, comparisons."""
