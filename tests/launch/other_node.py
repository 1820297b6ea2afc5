"""`tui-latent` in one of several processes, of which the second stands for a machine that differs.

torchrun … other_node.py WHAT COMMAND…    WHAT: images, torch, code or settings
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tui_latent.cli import main as cli
from tui_latent.training import follower, rank_checks


def _differ(what: str) -> None:
    checks: Any = rank_checks
    follows: Any = follower
    versions, load = checks._versions, follows.load_dataset
    if what == "images":

        def others(settings: Any, *args: Any, **kwargs: Any) -> Any:
            path = f"{settings.path}-of-another-machine"
            return load(settings.model_copy(update={"path": path}), *args, **kwargs)

        follows.load_dataset = others
    elif what in ("torch", "the code of tui-latent"):
        checks._versions = lambda: versions() | {what: "1.0"}
    else:
        sys.argv += ["--set", what]


if __name__ == "__main__":
    difference = sys.argv.pop(1)
    if os.environ["RANK"] == "1":
        _differ(difference)
    cli.main()
