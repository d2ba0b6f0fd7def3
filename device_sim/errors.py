"""The one error this program raises on purpose: its message is the line the user reads."""


class SimError(Exception):
    """An error that the user can correct; `main` prints it as one line and exits with 1."""
