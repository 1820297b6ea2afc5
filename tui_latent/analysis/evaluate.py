"""All measurements of a run's latents, part by part, stored in the run folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_latent.analysis import InspectionError, RunData
from tui_latent.analysis.decoder_spread import decoder_spread, decodes
from tui_latent.analysis.evaluation_errors import AssessmentError, NotMeasured
from tui_latent.analysis.evaluation_table import is_whole
from tui_latent.analysis.latent_stats import all_names
from tui_latent.analysis.outliers import Outliers, parse_outliers
from tui_latent.runs.evaluations import FORMAT, finite_json, read_evaluation, write_evaluation
from tui_latent.runs.origin import nouns_of
from tui_latent.runs.reader import RunReader
from tui_latent.runs.schema import RunError, RunSnapshot

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.analysis.evaluation_parts import LabelledLatents

Tell = Callable[[str], None]

MOST_COMPARED: Final = 20_000
"""most latents that are all compared with each other; if there are more, a sample is compared,
which takes half a minute"""


def evaluate_run(
    path: Path, outliers: str | None = None, on_progress: Tell = lambda _: None
) -> dict[str, Any]:
    """Measure the newest latents of the run at `path`; return and store the results.

    `outliers` is a dataset's name, `folder:PATH`, `arrays:FILE`, `manifest:TABLE` or `class:NAME`.
    The result holds JSON's types only and is written to `evaluations/step-….json`; where it cannot
    be, its `unkept` says why. What cannot be measured is in its `missing`, with the reason: a whole
    part by its name, one figure as `part/figure`. `on_progress` is called with the current
    activity, many times a second: an exception from it ends the evaluation, and nothing is written.
    AssessmentError when there are no latents, OutliersError when `outliers` names none.
    """
    start = time.perf_counter()
    asked = parse_outliers(outliers) if outliers else None
    on_progress("reading the latents")
    try:
        snapshot = RunReader(path).refresh()
        source = RunData(path)
        space, step = _space(source, snapshot)
    except (RunError, InspectionError) as error:
        raise AssessmentError(str(error)) from error
    found = _measured(source, snapshot, space, step, asked, on_progress)
    result: dict[str, Any] = finite_json(
        {
            "format": FORMAT,
            "run": path.name,
            "step": step,
            "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "seconds": round(time.perf_counter() - start, 2),
            "latents": {
                "dimensions": space.bank.shape[1],
                "training_images": 0 if space.bank_is_queries else len(space.bank),
                "held_out_images": len(source.latents().queries),
                "written": source.latents().signature[2],
            },
            "origin": source.origin,
            "class_names": list(space.class_names),
            "notes": [*_sample_note(source, space), *space.notes()],
            **found,
        }
    )
    _keep_other_outliers(path, result)
    try:
        write_evaluation(path, step, result)
    except OSError as error:  # as in the run of a colleague, which this user may only read
        why = error.strerror or error
        result["unkept"] = f"not kept: {path / 'evaluations'} cannot be written: {why}"
    return result


def _space(source: RunData, snapshot: RunSnapshot) -> tuple[LabelledLatents, int]:
    from tui_latent.analysis.evaluation_parts import LabelledLatents

    latents = source.latents()
    names = all_names(snapshot.class_names, latents)
    alone = latents.bank_is_queries
    bank, bank_labels = latents.bank, latents.bank_labels
    if source.preset is None:
        bank, bank_labels = latents.bank_for_all
    queries, labels = latents.queries, latents.query_labels
    if alone and len(queries) > MOST_COMPARED:
        rows = _drawn(len(queries))
        bank = queries = queries[rows]
        bank_labels = labels = labels[rows]
    nouns = nouns_of(source.origin)
    space = LabelledLatents(bank, bank_labels, queries, labels, names, alone, nouns)
    step = snapshot.map.step if snapshot.map is not None else snapshot.status.step
    return space, step if latents.step is None else latents.step


def _sample_note(source: RunData, space: LabelledLatents) -> list[str]:
    every, trained = len(source.latents().queries), len(source.latents().bank)
    if not space.bank_is_queries and len(space.bank) < trained:
        return [
            f"of the {trained:,} training latents a sample of {len(space.bank):,} is used: all of "
            "them would take hours"
        ]
    if len(space.queries) == every:
        return []
    what = f"{space.nouns.image}s"
    return [f"all figures are of a sample of {len(space.queries):,} of the {every:,} {what}"]


def _drawn(images: int) -> Tensor:
    """Return the rows of a sample, int64 (MOST_COMPARED,), ascending; the same ones every time."""
    import torch

    rows = torch.randperm(images, generator=torch.Generator().manual_seed(0))
    return rows[:MOST_COMPARED].sort().values


def _measured(
    source: RunData,
    snapshot: RunSnapshot,
    space: LabelledLatents,
    step: int,
    asked: Outliers | None,
    on_progress: Tell,
) -> dict[str, Any]:
    """Return the parts by name, and under `missing` why some are missing."""
    from tui_latent.analysis import evaluation_anomalies as anomalies
    from tui_latent.analysis import evaluation_inputs as inputs
    from tui_latent.analysis import evaluation_neighbours as neighbours
    from tui_latent.analysis import evaluation_parts as parts

    def outlier_curves(
        space: LabelledLatents, on_chunk: Callable[[], None]
    ) -> list[dict[str, Any]]:
        assert asked is not None
        if asked.kind == "class" and asked.name in space.class_names:
            return [anomalies.class_curve(space, asked.name, on_chunk)]
        from tui_latent.analysis.outlier_embedding import outlier_curve

        return [outlier_curve(source, space, step, asked, on_progress)]

    collapse = partial(parts.collapse, curves=snapshot.curves, reasons=snapshot.missing)
    todo: list[tuple[str, str, Callable[[LabelledLatents, Callable[[], None]], Any]]] = [
        ("knn_train", "kNN on the training images", parts.knn_train),
        ("knn_held_out", "kNN on the held-out images", parts.knn_held_out),
        ("knn_weighted", "weighted votes of neighbours", neighbours.knn_weighted),
        ("retrieval", "retrieval by class", neighbours.retrieval),
        ("probe", "linear probe", parts.probe),
        ("clustering", "k-means", parts.clustering),
        ("collapse", "collapse figures", collapse),
        ("map", "trustworthiness of the map", parts.map_faithfulness),
        ("anomaly", "leaving out each class", anomalies.class_anomaly),
    ]
    if source.preset is not None:
        todo += [
            ("inputs", "the map beside the inputs", partial(inputs.faithful_to_inputs, source)),
            ("layers", "layers of the network", partial(inputs.layers, source)),
            ("lidar", "LiDAR of augmented views", partial(inputs.view_rank, source)),
        ]
    if decodes(source):
        todo.append(("decoder", "decoder", partial(decoder_spread, source)))
    if asked is not None:
        todo.append(("outliers", asked.words, outlier_curves))
    found: dict[str, Any] = {"outliers": []}
    missing: dict[str, str] = {}
    for name, words, part in todo:
        on_progress(words)
        try:
            space.require_finite()
            found[name] = measured = part(space, partial(on_progress, words))
            if isinstance(measured, dict):
                reasons = measured.pop(parts.MISSING, {})
                missing |= {f"{name}/{figure}": why for figure, why in reasons.items()}
        except (NotMeasured, InspectionError) as error:
            missing[name] = str(error)
    return {**found, "missing": missing}


def _keep_other_outliers(path: Path, result: dict[str, Any]) -> None:
    """Keep the ROC curves of other outliers from an earlier evaluation of the same latents."""
    old = read_evaluation(path, result["step"])
    if (
        old is None
        or not is_whole(old)
        or old["latents"]["written"] != result["latents"]["written"]
    ):
        return
    named = {curve["outliers"] for curve in result["outliers"]}
    result["outliers"] += [c for c in old["outliers"] if c["outliers"] not in named]
