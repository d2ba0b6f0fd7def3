"""Alarms as the staff work them: lists, and the acts on one (acknowledge, assign, comment, judge, resolve)."""
