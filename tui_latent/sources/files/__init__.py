"""Reading files into arrays, with numpy; not loaded before images are read."""
