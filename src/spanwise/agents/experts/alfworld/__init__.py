"""ALFWorld's expert: a scripted player whose thoughts are there to be learnt from."""

from spanwise.agents.experts.alfworld.expert import AlfworldExpert

__all__ = ["AlfworldExpert"]
