"""A faulty fleet: scenario and seed become messages, thousands of connections send them, a folder keeps the truth."""
