"""What the maker's support works with: search, the records of units and people, notes and calls, and who looked."""
