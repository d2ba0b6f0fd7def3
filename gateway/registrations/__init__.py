"""Products, units and who owns them."""
