"""Campaigns: a recall, an update or a withdrawal becomes thousands of notices, after a second person approved it."""
