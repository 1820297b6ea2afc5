"""How a process ends while a thread that nobody waits for still computes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.waiting import patience

PROGRAM = """
import sys, threading
import torch
from tui_latent.cli.main import main
from tui_latent.datasets.read_ahead import in_order

def compute(_):
    with torch.no_grad():
        while True:
            torch.nn.functional.linear(torch.zeros(600, 600), torch.zeros(600, 600))

class Stop(Exception): pass
looks = iter(range(4))

def look():
    if next(looks) == 3:
        raise Stop

try:
    list(in_order(compute, [None], 1, 0, look))
except Stop:
    print("stopped")
sys.argv = ["tui-latent", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("word", "code"), [("--version", 0), ("nonsense", 2)])
def test_a_command_ends_as_it_should_beside_a_thread_that_computes(word: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, word],
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert "terminate" not in ended.stderr
    assert ended.stdout.startswith("stopped\n") and (ended.stdout + ended.stderr).count("\n") > 1
