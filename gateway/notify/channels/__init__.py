"""The channels outside the feed, a folder each; registry.py lists them, docs/extend-channels.md says how to add one."""
