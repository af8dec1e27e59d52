"""Trajectories as data: how a completion is cut into spans, how trajectories are stored and shown."""
