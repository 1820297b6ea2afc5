"""A race to a held-out kNN accuracy without labels; SPEEDRUN.md has its rules.

Nothing here but `entries/` imports the package that is measured: the judge reads the images, starts
the clock, and votes with scikit-learn.
"""
