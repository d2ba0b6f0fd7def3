"""Pages that the server gives out: the built ones, and those it renders, which need no script."""
