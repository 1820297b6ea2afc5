"""What cannot be done with a run that was not trained here, and what can be done instead."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tui_latent.nouns import listed
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.origin import Origin, Wish, obeyed, origin_of
from tui_latent.runs.schema import RunError

_WHERE_FROM: Final[dict[Origin, str]] = {
    "watched": "comes from a training loop of your own",
    "opened": "was opened from files",
}
_INSTEAD: Final[dict[Origin, str]] = {
    "watched": "run that loop again",
    "opened": "tui-latent open FILE makes a run of other vectors",
}


def refuse_foreign(path: Path, what: str) -> None:
    """Raise RunError for a run that was not trained here, which rules out `what`: "be resumed".

    The sentence says what can be done instead.
    """
    provenance = read_manifest(path).provenance
    origin = origin_of(provenance)
    if origin == "trained":
        return
    command = str(provenance.get("command") or "")
    known = f" ({command})" if origin == "watched" and command else ""
    raise RunError(
        f"{path.name} {_WHERE_FROM[origin]}, so it cannot {what} here: {_INSTEAD[origin]}{known}"
    )


def refuse_unheard(path: Path, what: str) -> None:
    """Raise RunError for a request that the loop of a run does not obey.

    `what` is pause, resume, stop, checkpoint or lr.
    """
    manifest = read_manifest(path)
    heard = obeyed(manifest.preset, manifest.provenance)
    needed: Wish = _NEEDED[what]
    if needed in heard:
        return
    origin = origin_of(manifest.provenance)
    if origin == "opened":
        raise RunError(f"{path.name} {_WHERE_FROM[origin]}: there is nothing to {_VERBS[what]}")
    known = listed(sorted(heard)) if heard else ""
    named = ", ".join(f'"{wish}"' for wish in (*sorted(heard), needed)) + "," * (not heard)
    raise RunError(
        f"{path.name}: its loop obeys {f'{known} only' if known else 'no requests'}; to obey "
        f"{needed} too, it has to say so: tui_latent.watch(…, obeys=({named}))"
    )


_NEEDED: Final[dict[str, Wish]] = {
    "pause": "pause",
    "resume": "pause",
    "stop": "stop",
    "checkpoint": "checkpoint",
    "lr": "lr",
}
_VERBS: Final = {
    "pause": "pause",
    "resume": "resume",
    "stop": "stop",
    "checkpoint": "save",
    "lr": "slow down",
}
