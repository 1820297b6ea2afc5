"""The images of a source that keeps them encoded, decoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui_latent.config.settings import DataSettings
from tui_latent.datasets.decoded_splits import EncodedSplit, decoded_splits
from tui_latent.sources.files.raw import RawImages, RawSplit


def decoded_images(
    encoded: Sequence[EncodedSplit],
    settings: DataSettings,
    name: str,
    class_names: tuple[str, ...],
    held_out: str,
    notes: Sequence[str],
    log: Callable[[str], None],
    poll: Callable[[], None],
) -> RawImages:
    """Return the images of one split or two, decoded as `settings` ask for it.

    `held_out` describes the second. Errors as in `decoded_splits`.
    """
    read, done, ends = decoded_splits(encoded, settings, log, poll)
    raw = [
        RawSplit(found.images, split.labels, columns=split.columns).take(found.rows)
        for found, split in zip(read, encoded, strict=True)
    ]
    test = raw[1] if len(raw) > 1 else None
    return RawImages(name, class_names, raw[0], test, held_out, (*notes, *done), ends)
