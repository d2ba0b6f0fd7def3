"""The product catalog: products, their metrics and the rules in force, in numbered revisions, one change each."""

from gateway.catalog.repository import lock, newest, revise

__all__ = ["lock", "newest", "revise"]
