"""Search over all that the staff look for: how words are read, the queries, and what is shown of a hit."""
