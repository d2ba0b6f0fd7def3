"""For the maker's staff: each router asks for its role."""
