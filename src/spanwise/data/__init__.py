"""From trajectories to token arrays: rendering, tokenising, batching, curriculum."""
