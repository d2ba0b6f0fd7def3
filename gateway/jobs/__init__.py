"""Long work in short turns, each one transaction: it says how far it is, can be cancelled, and outlives its process."""
