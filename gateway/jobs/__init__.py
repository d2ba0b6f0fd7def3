"""Long work in short turns, each one transaction: it shows progress, can be cancelled, and survives its process."""
