"""What the explorer asks of a map and how the answers read; its screen is `screens/explorer.py`."""
