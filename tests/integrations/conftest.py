"""Loops of other packages end as patiently as those of `tests/watching`."""

from tests.watching.conftest import patient_end

__all__ = ["patient_end"]
