"""Which vectors have different neighbours in another file: what fine-tuning changed, say."""

from __future__ import annotations

from typing import Any, Final

from tui_latent.analysis.neighbourhood_change import (
    NeighbourChanges,
    changes_between,
    find_changes,
)
from tui_latent.opening.plan import Plan
from tui_latent.opening.run_folder import Step
from tui_latent.runs.latents_file import UNLABELLED
from tui_latent.runtime.sanitize import plain_name

_COUNT: Final = 10


def movers(plan: Plan, before: Step, after: Step) -> dict[str, Any] | None:
    """Rank the vectors on the map by how few of their 20 nearest neighbours they kept.

    Neighbours are those of the whole vectors, or on the maps where that would take minutes. The
    result has JSON types only; None where there are no neighbours.
    """
    if before.neighbours is not None and after.neighbours is not None:
        were, are = before.neighbours, after.neighbours
        found: NeighbourChanges | None = changes_between(were, are, plan.queries, _COUNT, False)
    else:
        found = find_changes(before.map, after.map, _COUNT)
    if found is None:
        return None
    most = []
    for vector, kept in zip(found.indices.tolist(), found.kept.tolist(), strict=True):
        vector = int(plan.queries[vector]) if found.on_map else vector
        label = int(plan.labels[vector])
        most.append(
            {
                "row": int(plan.rows[0][vector]),
                "id": None if plan.ids is None else plan.ids[vector],
                "label": None if label == UNLABELLED else plan.class_names[label],
                "kept": round(kept, 4),
            }
        )
    return {
        "from": before.title,
        "to": after.title,
        "space": "map" if found.on_map else "vectors",
        "neighbours": found.neighbours,
        "mean_kept": round(found.mean_kept, 4),
        "most_changed": most,
    }


def in_words(found: dict[str, Any]) -> list[str]:
    """Write movers for people, a line each."""
    where = "" if found["space"] == "vectors" else " on the map"
    share = (
        f"{100 * found['mean_kept']:.0f} % of its {found['neighbours']} nearest neighbours{where}"
    )
    sentence = f"from {found['from']} to {found['to']} a vector keeps {share}"
    changed = [one for one in found["most_changed"] if one["kept"] < 1]
    if not changed:
        return [sentence]
    lines = [f"{sentence} on average; these keep the fewest:"]
    for one in changed:
        name = f"row {one['row']:,}" if one["id"] is None else plain_name(one["id"], 60)
        label = f"  {one['label']}" if one["label"] is not None else ""
        lines.append(f"  {100 * one['kept']:3.0f} %  {name}{label}")
    return lines
