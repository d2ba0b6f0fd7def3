"""The HTTP edge: the only place, besides the composition root, that knows the web framework."""
