"""Endpoints for the maker's staff; each router requires its role."""
