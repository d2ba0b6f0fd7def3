"""Figures of products: units by lot and firmware, and how often alarms come."""
