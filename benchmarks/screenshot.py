"""The README's picture: the dashboard at 120x40 on a finished run of the bundled digits.

python -m benchmarks.screenshot [RUN]     trains the run first (half a minute) if none is given
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tui_latent.launch import create_run, train_run
from tui_latent.presets import load_preset
from tui_latent.tui.app import LatentApp

OUT = Path(__file__).parents[1] / "docs" / "dashboard.svg"
PRESET = "digits-contrastive-2d"


async def picture(path: Path) -> str:
    """Return the dashboard of a run as SVG, once its panels are drawn."""
    app = LatentApp(path.parent, open_path=path)
    async with app.run_test(size=(120, 40)) as pilot:
        await asyncio.sleep(8.0)  # a thread reads and draws; there is no hurry
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
        OUT.write_text(asyncio.run(picture(path)))
    print(OUT)


if __name__ == "__main__":
    main()
