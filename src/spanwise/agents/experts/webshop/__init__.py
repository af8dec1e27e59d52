"""WebShop's expert: a scripted shopper whose thoughts are there to be learnt from; and the least that one can do."""

from spanwise.agents.experts.webshop.expert import WebshopExpert
from spanwise.agents.experts.webshop.first_hit import FirstHit

__all__ = ["FirstHit", "WebshopExpert"]
