"""A run in the list that `runs` prints: a line, or a row of its JSON."""

from __future__ import annotations

from typing import Any, get_args

from tui_latent import number_format
from tui_latent.runs.origin import Origin
from tui_latent.runs.schema import RunSummary, Status
from tui_latent.runs.sweep_folder import SWEEP

_ELSEWHERE = (frozenset(get_args(Origin)) | {SWEEP}) - {"trained"}


def run_row(summary: RunSummary) -> dict[str, Any]:
    """Return one run as `runs --json` gives it: `val/knn_20` is the newest, beside it the best."""
    status, labels = summary.status, summary.labels
    return {
        "run": summary.name,
        "path": str(summary.path),
        "preset": summary.preset,
        "method": summary.method,
        "state": status.state,
        "step": status.step,
        "total_steps": status.total_steps,
        "val/knn_20": summary.knn_20,
        "best_knn_20": summary.best_knn_20,
        "loss": summary.loss,
        "device": status.device,
        "created": summary.created,
        "seed": summary.seed,
        "changes": list(summary.changes),
        "name": labels.name,
        "tags": list(labels.tags),
        "notes": labels.notes,
        "archived": labels.archived,
        "queued": summary.queued,
        "problem": summary.problem,
    }


def run_line(summary: RunSummary) -> str:
    """Return one run as a line of `runs`."""
    if summary.problem:
        return f"{'unreadable':11} {summary.name}: {summary.problem}"
    status, labels = summary.status, summary.labels
    newest, best = map(number_format.number, (summary.knn_20, summary.best_knn_20))
    parts = [f"{labels.name} ({summary.name})" if labels.name else summary.name]
    parts += [summary.method] if summary.method in _ELSEWHERE else []
    parts += [*(f"#{tag}" for tag in labels.tags), *(["archived"] if labels.archived else [])]
    state = f"queued {summary.queued}" if summary.queued else status.state_word
    knn = f"kNN@20 {newest:>5} newest {best:>5} best"
    return f"{state:11} {_share(status):>5}  {knn}  {' '.join(parts)}"


def _share(status: Status) -> str:
    return f"{100 * status.step // status.total_steps} %" if status.total_steps else "–"
