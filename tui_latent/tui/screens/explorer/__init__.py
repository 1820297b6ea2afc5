"""The explorer: a full-screen map to inspect point by point."""
