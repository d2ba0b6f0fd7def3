"""Servers that start and stop with `gateway demo`, so that it needs no installed ones."""
