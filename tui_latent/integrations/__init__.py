"""Callbacks that watch the training loops of other packages, a file for each."""
