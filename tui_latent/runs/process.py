"""Identify a process beyond its number, which another process may have later."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

HOST: Final = socket.gethostname()

_PROC: Final = Path("/proc")


def this_process() -> str:
    """Return this process's boot, pid namespace and start time; empty where they are unknown."""
    return process_of(os.getpid())


def process_of(pid: int) -> str:
    """Return the same of another process; empty for one that has ended."""
    place, start = process_place(), _start_of(pid)
    return f"{place} {start}" if place and start else ""


def process_place() -> str:
    """Return the boot and pid namespace, within which a process number is unique.

    Empty where it is unknown, or where /proc shows the processes of another namespace.
    """
    try:
        if str((_PROC / "self").readlink()) != str(os.getpid()):
            return ""
        boot = (_PROC / "sys/kernel/random/boot_id").read_bytes().decode().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return ""


def same_boot(process: str) -> bool:
    """Return whether a process, as `this_process` describes it, belongs to the present boot."""
    place = process_place()
    return bool(place) and process.split(" ", 1)[0] == place.split(" ", 1)[0]


def is_alive(host: str, pid: int, process: str) -> bool | None:
    """Return whether a process is alive, by its number and what `this_process` returned in it.

    None where that is unknown: it belongs to another host, boot or pid namespace.
    """
    words = process.split(" ")
    if pid <= 0 or host != HOST or len(words) < 3 or " ".join(words[:2]) != process_place():
        return None
    if not number_in_use(pid):
        return False
    start = _start_of(pid)
    return None if start is None else start == words[2]


def number_in_use(pid: int) -> bool:
    """Return whether any process has this number here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _start_of(pid: int) -> str | None:
    """Return when a process started, in clock ticks since the boot.

    Empty for one that has ended and has not been waited for; None where /proc does not show it.
    """
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rfind(b")") + 2 :].split()  # the name before it may hold anything
    if len(fields) < 20:
        return None
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
