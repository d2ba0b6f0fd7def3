"""What makers bring in: products, rules, units and owners, checked as a whole and put into force all or nothing."""
