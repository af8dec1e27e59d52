"""Whoever plays: scripted experts, local models; and the loop that lets them play."""
