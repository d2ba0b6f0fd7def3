"""Servers that live and die with the gateway: what `gateway demo` needs where nothing is installed."""
