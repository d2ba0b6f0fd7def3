"""The product catalog: products, their metrics and the rules in force, changed one at a time, in numbered revisions."""

from gateway.catalog.repository import lock, newest, revise

__all__ = ["lock", "newest", "revise"]
