"""A faulty fleet: a scenario and a seed make messages, thousands of connections send them, a folder records them."""
