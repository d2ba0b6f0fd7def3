"""The demo: a small installation of one maker on this machine, with example data."""
