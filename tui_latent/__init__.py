"""Train models of a low-dimensional latent space in the terminal, and watch the space form.

For scripts: `watch` records a user's own training loop, `load` reads a run. What is named here is
imported when it is first used, so that `import tui_latent` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tui_latent.loading import load as load
    from tui_latent.watching.watch import watch as watch

__version__ = "0.2.0"

_PUBLIC: Final = {
    "load": "tui_latent.loading",
    "watch": "tui_latent.watching.watch",
}
"""name -> the module that has it"""


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
