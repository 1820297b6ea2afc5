"""What OpenMP itself says it was told when torch loads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

OWN_SPINS = "300000"


def spins(call: str, **chosen: str) -> str:
    """Return how often a waiting thread spins in a fresh process that calls `call` first."""
    script = f"from tui_latent.runtime.openmp import limit_spinning\n{call}\nimport torch"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=environment | {"OMP_DISPLAY_ENV": "verbose"} | chosen,
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    found = re.search(r"GOMP_SPINCOUNT = '(\d+)'", told)
    if found is None:
        pytest.skip("torch has another OpenMP here")
    return found.group(1)


def test_threads_sleep_sooner_than_openmp_would_have_them() -> None:
    assert spins("") == OWN_SPINS
    assert spins("limit_spinning()") == "1000"


def test_what_a_person_has_set_holds() -> None:
    assert spins("limit_spinning()", GOMP_SPINCOUNT="77") == "77"
    assert int(spins("limit_spinning()", OMP_WAIT_POLICY="active")) > int(OWN_SPINS)
