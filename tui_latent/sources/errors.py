"""Names and errors as a screen can show them; without torch, so that a menu can."""


class DataError(Exception):
    """Images that cannot be used: where, what and what to do, shown to a person as it is."""

    def __init__(self, message: str) -> None:
        """What no screen can show, as in a file's name, is replaced."""
        lines = message.split("\n")
        super().__init__("\n".join(shown(line) for line in lines))


def shown(name: str) -> str:
    """Return a name without what a screen cannot show: control characters, bytes of no text."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
