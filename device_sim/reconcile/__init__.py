"""Compares what a run sent with what the gateway stored, judged and sent to owners, over HTTP, and reports it."""
