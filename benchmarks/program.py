"""How benchmarks start the program: with this interpreter, even if no script is installed."""

from __future__ import annotations

import sys

PROGRAM = (sys.executable, "-m", "tui_latent")
