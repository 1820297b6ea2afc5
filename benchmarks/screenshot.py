"""The README's pictures: dashboard and explorer at 120x40 on a finished run of the bundled digits.

python -m benchmarks.screenshot [RUN]     trains the run first (half a minute) if none is given
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tui_latent.config.presets import load_preset
from tui_latent.launch.start import create_run, train_run
from tui_latent.tui.app import LatentApp

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = {"dashboard.svg": (), "explorer.svg": ("l", "+", "right", "V", "+")}
"""keys that lead to each, + waits until everything is drawn"""
PRESET = "digits-contrastive-2d"
_DRAWN = 8.0
"""seconds for the threads to read and draw"""


async def picture(path: Path, keys: Sequence[str]) -> str:
    """Return a screen as SVG, once its panels are drawn."""
    app = LatentApp(path.parent, open_path=path)
    async with app.run_test(size=(120, 40)) as pilot:
        await asyncio.sleep(_DRAWN)
        for key in keys:
            await (asyncio.sleep(_DRAWN) if key == "+" else pilot.press(key))
        await pilot.pause()
        return app.export_screenshot(title="tui-latent")


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            path = create_run(PRESET, load_preset(PRESET), Path(folder), "digits")
            train_run(path)
        for name, keys in PICTURES.items():
            (DOCS / name).write_text(asyncio.run(picture(path, keys)))
            print(DOCS / name)


if __name__ == "__main__":
    main()
