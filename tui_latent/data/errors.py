"""The error of this room, without torch, so that a menu can show it."""


class DataError(Exception):
    """Images that cannot be used: where, what and what to do, shown to a person as it is."""
