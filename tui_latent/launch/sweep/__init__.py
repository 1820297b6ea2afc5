"""Sweeps: what they train, which engine trains it, and the sweep's folder."""
