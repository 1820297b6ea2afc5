"""What a sweep has found: its runs as numbers, groups of seeds, and what may be said about them."""
