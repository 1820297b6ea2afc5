"""How benchmarks start the program: by this interpreter, also where no script was installed."""

from __future__ import annotations

import sys

PROGRAM = (sys.executable, "-m", "tui_latent")
