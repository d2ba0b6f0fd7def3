"""From an alarm to what its owner sees: stages decide, a record is written, the outbox is drained."""
