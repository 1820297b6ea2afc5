"""In which order CUDA numbers the GPUs of this process."""

from __future__ import annotations

import os


def number_by_bus() -> None:
    """Have CUDA number GPUs by their place on the bus; to be called before CUDA is started.

    By itself CUDA puts the fastest first, while `nvidia-smi` and the driver's library, which names
    GPUs and their memory here, go by the bus: `cuda:1` would be another card in each. What a
    person has set holds, and other processes started from this one do the same.
    """
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
