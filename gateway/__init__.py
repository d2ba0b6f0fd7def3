"""Product Support Gateway: between the makers of connected products and their customers."""
