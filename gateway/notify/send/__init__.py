"""Sends the deliveries of the outbox: claims them, sends outside any transaction, and records the answers."""
