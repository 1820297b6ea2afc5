"""Hosts made of network namespaces, each with a name and an address, and a link that can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ENTER = 'hostname "$1"; mount --bind "$2" /etc/hosts; shift 2; exec "$@"'
"""what a process of a host runs first, in its own copies of the host's name and of /etc/hosts"""


class Hosts:
    """Two hosts, `host-a` at 10.77.0.1 and `host-b` at 10.77.0.2, joined by one link."""

    names = ("host-a", "host-b")

    def __init__(self, folder: Path) -> None:
        """`folder` is where their /etc/hosts is kept."""
        self._spaces = [f"tl-{os.getpid()}-{letter}" for letter in "ab"]
        self._links = [f"tl{os.getpid()}{letter}" for letter in "ab"]  # 15 characters at most
        self._names = folder / "hosts"

    def make(self) -> None:
        """Make both; CalledProcessError where this machine does not allow it."""
        lines = [f"10.77.0.{i} {name}" for i, name in enumerate(self.names, 1)]
        self._names.write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        one, two = self._spaces
        link, other = self._links
        for space in self._spaces:
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
        _ip(*f"link add {link} netns {one} type veth peer name {other} netns {two}".split())
        for number, (space, end) in enumerate(zip(self._spaces, self._links, strict=True), 1):
            _ip("-n", space, "addr", "add", f"10.77.0.{number}/24", "dev", end)
            _ip("-n", space, "link", "set", end, "up")
        subprocess.run(self.command(0, ["true"]), check=True, capture_output=True)

    def remove(self) -> None:
        """Remove both, and the link with them."""
        for space in self._spaces:
            subprocess.run(["ip", "netns", "delete", space], capture_output=True, check=False)

    def command(self, host: int, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` on a host."""
        enter = ["unshare", "--uts", "--mount", "sh", "-c", _ENTER, "sh"]
        space = self._spaces[host]
        return ["ip", "netns", "exec", space, *enter, self.names[host], str(self._names), *words]

    def link(self, state: str) -> None:
        """Set the link `up` or `down`."""
        _ip("-n", self._spaces[0], "link", "set", self._links[0], state)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def refusal() -> str:
    """Return why no hosts can be made here, as far as that is known without trying."""
    missing = [name for name in ("ip", "unshare", "mount") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} cannot be found: install iproute2 and util-linux"
    return "" if os.geteuid() == 0 else "only root may make network namespaces"


@contextmanager
def two_hosts(folder: Path) -> Iterator[Hosts]:
    """Make two hosts, and remove them; CalledProcessError where this machine does not allow it."""
    hosts = Hosts(folder)
    try:
        hosts.make()
        yield hosts
    finally:
        hosts.remove()
