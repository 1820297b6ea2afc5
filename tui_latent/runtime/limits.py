"""The cores and memory that this process may use, even within a container."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")
_UNLIMITED: Final = 1 << 60
"""bytes; version 1 of control groups writes a number near 2**63 where there is no limit"""


@dataclass(frozen=True)
class Memory:
    """Bytes that this process may use in total, and bytes that it could still get."""

    total: int
    available: int


def cpu_cores(root: Path = _ROOT, allowed: int | None = None) -> int:
    """Return how many cores this process may use, at least 1.

    It is the smallest of the cores it may run on (`allowed`, by default as the system reports
    them) and of the processor time that each of its control groups may take, rounded up. `proc`
    and `sys` are read below `root`.
    """
    cores = allowed or allowed_cores()
    for folder in _groups(root, "cpu"):
        share = _share(folder)
        if share is not None:
            cores = min(cores, math.ceil(share))
    for folder in _groups(root, "cpuset"):
        names = ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")
        counts = (_count_listed(folder / name) for name in names)
        cores = min(cores, next((count for count in counts if count), cores))
    return max(cores, 1)


def memory(root: Path = _ROOT, machine: Memory | None = None) -> Memory:
    """Return the memory that this process may use, and how much of it is free now.

    It is the machine's (`machine`, by default as the system reports it), or what the tightest of
    its control groups allows and has left. `proc` and `sys` are read below `root`.
    """
    if machine is None:
        import psutil  # needed only here, so the command line does not wait for it

        has = psutil.virtual_memory()
        machine = Memory(has.total, has.available)
    total, available = machine.total, machine.available
    for folder in _groups(root, "memory"):
        limit, used = _limit_and_use(folder)
        if limit is not None:
            total = min(total, limit)
            available = min(available, max(limit - used, 0))
    return Memory(total, available)


def allowed_cores() -> int:
    """Return how many cores this process may run on, whatever its share of their time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(folder: Path) -> float | None:
    """Return how many cores' time a group may take; None where that is not limited."""
    words = _read(folder / "cpu.max").split()  # version 2
    if len(words) != 2:
        words = [_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    quota, period = (int(word) if word.isdecimal() else 0 for word in words)
    return quota / period if quota and period else None  # "max" and -1 mean no limit


def _limit_and_use(folder: Path) -> tuple[int | None, int]:
    """Return a group's limit in bytes, and what it uses apart from file caches it can drop."""
    for limit, used, dropped in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        word = _read(folder / limit).strip()
        if word.isdecimal() and int(word) < _UNLIMITED:
            in_use = _read(folder / used).strip()
            stat = dict(line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines())
            spare = stat.get(dropped, "0").strip()
            numbers = [int(text) if text.isdecimal() else 0 for text in (in_use, spare)]
            return int(word), max(numbers[0] - numbers[1], 0)
    return None, 0


def _count_listed(file: Path) -> int:
    """Return how many cores a list like `0-3,8` has; 0 if it is empty or cannot be read."""
    count = 0
    for part in _read(file).strip().split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            return 0
        count += int(last or first) - int(first) + 1
    return count


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups with this `controller`, upwards.

    They are of version 1 if the controller is mounted as such, else of version 2.
    """
    own = dict(_own_groups(root))
    for mounted_of, mount_point, controllers in _mounts(root):
        if controllers is None:
            path = own.get("")
        elif controller in controllers:
            path = next((own[key] for key in own if controller in key.split(",")), None)
        else:
            continue
        if path is None:
            continue
        top = root / mount_point.lstrip("/")
        folder = top / _below(path, mounted_of)
        if not folder.is_dir():  # the container has its own group mounted as the top
            folder = top
        yield folder
        while folder != top:
            folder = folder.parent
            yield folder


def _below(path: str, mounted_of: str) -> str:
    """Return a group's path from the group that is mounted; empty where it is not below it."""
    if mounted_of == "/":
        inside = path
    elif path == mounted_of or path.startswith(f"{mounted_of}/"):
        inside = path[len(mounted_of) :]
    else:
        return ""
    parts = inside.strip("/")
    return "" if ".." in parts.split("/") else parts


def _own_groups(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (controllers, path) of this process's groups; no controllers are version 2."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            yield parts[1], parts[2]


def _mounts(root: Path) -> Iterator[tuple[str, str, list[str] | None]]:
    """Yield (group mounted, where, its controllers; None for version 2)."""
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        controllers = None if kind[0] == "cgroup2" else kind[-1].split(",")
        yield _unescaped(fields[3]), _unescaped(fields[4]), controllers


def _unescaped(path: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        path = path.replace(code, character)
    return path


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
