"""The one error this program raises on purpose: its message is the line the user reads."""


class SimError(Exception):
    """Something the user can put right; `main` prints it as one line and exits with 1."""
