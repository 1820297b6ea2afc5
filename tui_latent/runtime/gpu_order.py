"""The order in which CUDA numbers the GPUs of this process."""

from __future__ import annotations

import os


def number_by_bus() -> None:
    """Have CUDA number GPUs by their place on the bus; call it before CUDA starts.

    By default CUDA puts the fastest first, while `nvidia-smi` and the driver's library, which
    names GPUs and their memory here, go by the bus: `cuda:1` would be another card in each. An
    order that the user has set is kept, and child processes inherit it.
    """
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
