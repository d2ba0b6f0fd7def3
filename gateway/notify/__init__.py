"""Notices: stages decide on an alarm, the notice and its deliveries are recorded, and the deliveries are sent."""
