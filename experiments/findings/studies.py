"""The studies by the names of the command, in the order of docs/RESULTS.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from experiments.findings.contrastive import NORM, TEMPERATURE, VIEWS
from experiments.findings.conv_autoencoder import CONV_AUTOENCODER
from experiments.findings.maps import CIFAR, MNIST
from experiments.findings.metric_autoencoders import METRIC_AUTOENCODERS
from experiments.findings.study import Study
from experiments.findings.triplets import CLASS_TRIPLETS
from experiments.findings.vicreg import EIGENMAPS, VICREG

STUDIES: Final[Mapping[str, Study]] = {
    "contrastive": VIEWS,
    "norm": NORM,
    "temperature": TEMPERATURE,
    "mnist": MNIST,
    "triplets": CLASS_TRIPLETS,
    "vicreg": VICREG,
    "eigenmaps": EIGENMAPS,
    "metric-autoencoders": METRIC_AUTOENCODERS,
    "samples": CONV_AUTOENCODER,
    "tsimcne": CIFAR,
}
ON_A_CPU: Final = tuple(name for name in STUDIES if name not in ("mnist", "tsimcne"))
"""studies whose subset takes minutes"""
