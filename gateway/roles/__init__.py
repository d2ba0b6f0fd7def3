"""The three roles, a file each: `run` serves until SIGTERM or SIGINT, and ends cleanly.

Nothing is imported here: a role loads only what it needs, so that it is quickly back after a crash.
"""

ROLES = ("ingest", "worker", "api")
