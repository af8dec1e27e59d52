"""HotPotQA's experts: scripted readers whose thoughts are there to be learnt from."""

from spanwise.agents.experts.hotpotqa.expert import HotpotqaExpert
from spanwise.agents.experts.hotpotqa.informed import InformedExpert

__all__ = ["HotpotqaExpert", "InformedExpert"]
