"""Out of the outbox: claimed, sent outside any transaction, and what came of it recorded."""
