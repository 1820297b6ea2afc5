"""Errors of sources, and names without characters that a screen cannot show."""


class DataError(Exception):
    """Images that cannot be used; the message names the place, the problem and the remedy."""

    def __init__(self, message: str) -> None:
        """Replace characters that a screen cannot show, for example in file names."""
        lines = message.split("\n")
        super().__init__("\n".join(shown(line) for line in lines))


def shown(name: str) -> str:
    """Replace what a screen cannot show in a name: control characters and undecodable bytes."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
