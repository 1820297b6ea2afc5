"""Large arrays made of a file of arrays, such as unpacked or scaled ones: kept in a file too."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_latent.datasets.array_store import stored_array
from tui_latent.runtime import array_files
from tui_latent.sources.files.array_holders import Chunks, Keep, keep_in_memory


def keep_large(log: Callable[[str], None], poll: Callable[[], None]) -> Keep:
    """Return how arrays are kept: large ones in a file that all runs share, others in memory.

    A file that has changed since is another one. `poll` is called between parts.
    """

    def keep(
        file: Path, of: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Chunks
    ) -> NDArray[Any]:
        if math.prod(shape) * dtype.itemsize < array_files.MAPPED_FROM:
            return keep_in_memory(file, of, shape, dtype, chunks)
        now, where = file.stat(), str(file.resolve())
        state = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
        made_of = repr((where, state, of, shape, dtype.str))
        key = hashlib.blake2b(made_of.encode(), digest_size=16).hexdigest()
        return stored_array(key, shape, dtype, chunks(), log, poll)

    return keep
