"""What five earlier systems found, trained again: see `__main__.py`."""
