"""WebShop's expert: a scripted shopper whose thoughts are there to be learnt from."""

from spanwise.agents.experts.webshop.expert import WebshopExpert

__all__ = ["WebshopExpert"]
