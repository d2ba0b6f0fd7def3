"""The demo: a maker's installation in small, on this machine, with data that a maker would write."""
