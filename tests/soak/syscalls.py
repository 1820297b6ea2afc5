"""A checkpoint's write, killed or refused by the kernel at each of its system calls."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.record import Row
from tui_latent.training.checkpoint import load_checkpoint, save_checkpoint

_TRACE_ME, _PEEK, _POKE, _TO_NEXT_CALL = 0, 3, 6, 24
_CALL, _RESULT = 15 * 8, 10 * 8
"""where a stopped x86-64 process keeps the number of its system call, and the call's result"""
_OF_DISKS = {1: "write", 18: "pwrite", 20: "writev", 74: "fsync", 82: "rename", 257: "openat"}
_REFUSED = 3
"""exit code of a process whose write raised OSError"""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def measure(tries: int) -> Row:
    """Interrupt the write of a checkpoint before and after each system call, `tries` times over."""
    if not supported():
        what, goal = "a checkpoint's write interrupted at each system call", "–"
        return Row(what, goal, "not run: needs ptrace on x86-64 Linux", None, {})
    killed = refused = 0
    problems: list[str] = []
    for _ in range(tries):
        kills, found = kill_at_each_call()
        refusals, found_too = refuse_each_call()
        killed, refused, problems = killed + kills, refused + refusals, problems + found + found_too
    return Row(
        what=f"a checkpoint's write killed at {killed} places and refused at {refused} calls",
        goal="a complete checkpoint to resume from each time, no partial file",
        measured=f"{len(problems)} without",
        reached=not problems,
        numbers={"killed": killed, "refused": refused, "problems": problems},
    )


def supported() -> bool:
    """Return whether processes can be stopped at system calls on this machine."""
    return platform.system() == "Linux" and platform.machine() == "x86_64"


def kill_at_each_call(first: int = 0, every: int = 1) -> tuple[int, list[str]]:
    """Kill the write at its first stop, its second, …; return how many there are and problems."""
    problems: list[str] = []
    stop = first
    while True:
        with tempfile.TemporaryDirectory() as name:
            folder = _with_two_checkpoints(Path(name))
            status, _ = _traced(partial(_save, folder, 30), kill_at=stop)
            problems += [f"killed at stop {stop}: {p}" for p in _problems(folder, (20, 30))]
        if os.WIFEXITED(status):
            return stop, problems
        stop += every


def refuse_each_call() -> tuple[int, list[str]]:
    """Answer the write's first call to the disk with "no space left", then its second, …"""
    problems: list[str] = []
    call = 0
    while True:
        with tempfile.TemporaryDirectory() as name:
            folder = _with_two_checkpoints(Path(name))
            status, refused = _traced(partial(_save, folder, 30), refuse=call)
            code = os.waitstatus_to_exitcode(status)
            allowed = (20, 30) if code == _REFUSED else (30,)
            found = _problems(folder, allowed, swept=True)
            if code not in (0, _REFUSED):
                found.append(f"it ended with {code}")
            problems += [f"call {call} refused: {problem}" for problem in found]
        if not refused:
            return call, problems
        call += 1


def _save(folder: Path, step: int) -> None:
    state = {"step": step, "method": {"weight": torch.full((20_000,), float(step))}}
    save_checkpoint(folder, state, best=step in (10, 30))


def _with_two_checkpoints(folder: Path) -> Path:
    for step in (10, 20):
        _save(folder, step)
    return folder


def _problems(folder: Path, allowed: tuple[int, ...], swept: bool = False) -> list[str]:
    """Return what is wrong with a folder of checkpoints after an interrupted write."""
    told: list[str] = []
    state = load_checkpoint(folder, "cpu", told.append)
    if state is None or state["step"] not in allowed:
        return [*told, f"{state and state['step']} was found instead of {allowed}"]
    if not torch.equal(state["method"]["weight"], torch.full((20_000,), float(state["step"]))):
        told.append("the weights differ from those saved")
    (folder / "last.json").unlink(missing_ok=True)  # so that the file of a later step is found
    load_checkpoint(folder, "cpu", told.append)
    if swept and list(folder.glob("*.tmp")):
        told.append("a partial file is left behind")
    _save(folder, 40)
    after = load_checkpoint(folder, "cpu", told.append)
    if after is None or after["step"] != 40 or list(folder.glob("*.tmp")):
        told.append("the next checkpoint did not repair it")
    return told


def _traced(
    work: Callable[[], None], kill_at: int | None = None, refuse: int | None = None
) -> tuple[int, bool]:
    """Do work in a process that stops before and after each system call.

    It is killed at stop `kill_at`, or its call number `refuse` to a disk fails. Return its status
    and whether a call was refused.
    """
    pid = os.fork()
    if pid == 0:
        _child(work)
    os.waitpid(pid, 0)
    stops = calls = 0
    refusing = refused = False
    while True:
        if stops == kill_at:
            os.kill(pid, signal.SIGKILL)
            return os.waitpid(pid, 0)[1], False
        _libc.ptrace(_TO_NEXT_CALL, pid, None, None)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return status, refused
        entering = stops % 2 == 0
        if entering and _libc.ptrace(_PEEK, pid, _CALL, None) in _OF_DISKS:
            if calls == refuse:
                _libc.ptrace(_POKE, pid, _CALL, ctypes.c_void_p(-1))
                refusing = refused = True
            calls += 1
        elif refusing:
            _libc.ptrace(_POKE, pid, _RESULT, ctypes.c_void_p(-errno.ENOSPC))
            refusing = False
        stops += 1


def _child(work: Callable[[], None]) -> None:
    code = 1
    try:
        _libc.ptrace(_TRACE_ME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        work()
        code = 0
    except OSError:
        code = _REFUSED
    finally:
        os._exit(code)
