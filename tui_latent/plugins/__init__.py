"""Plugins: methods, networks and sources from a person's own file or from an installed package.

A plugin is code, and runs only when it is named on the command line or installed. What a preset or
a run folder says never makes one run.
"""
