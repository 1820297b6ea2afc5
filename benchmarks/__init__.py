"""Measurements of tui-latent: each module is one command, prints a table and writes JSON."""
