"""The measurement of sweeps says why a sweep has given it nothing."""

from __future__ import annotations

import pytest

from benchmarks import sweeps


@pytest.mark.slow
def test_a_sweep_without_a_result_is_reported_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeps, "PRESET", "title = 3\n")
    with pytest.raises(SystemExit, match=r"title: [\s\S]*ended with code 2"):
        sweeps.measured(2, 1, "local")
