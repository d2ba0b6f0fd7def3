"""Who may sign in, what as, and how an address is proved."""
