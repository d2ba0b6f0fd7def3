"""The event log as Server-Sent Events: everything for the staff, their own for customers."""
