"""Rules: files that a maker writes and tests, and the pure evaluator that turns readings into alarm changes."""
