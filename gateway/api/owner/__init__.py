"""For customers: what is theirs, read as a database role that sees nothing else."""
