"""Whether a method says everything about itself that menu, form, curves and report show."""

from __future__ import annotations

from collections.abc import Sequence

from tui_latent.config.methods import MethodSettings
from tui_latent.launch.tried_checks import WrongError
from tui_latent.runs.metric_specs import TERMS


def require_description(chosen: MethodSettings) -> None:
    """Raise WrongError if menu, form, curves or report would lack a word about a method."""
    from tui_latent.reports.layouts import PANELS  # imports matplotlib

    settings = type(chosen)
    missing = []
    if not _lines(chosen.summary()):
        missing.append("summary returns no list of strings: each is a line of the menu")
    if settings.__doc__ in (None, MethodSettings.__doc__):
        missing.append(
            f"{settings.__name__} has no docstring: the help takes its description from it"
        )
    fields = settings.model_fields
    silent = [name for name, field in fields.items() if not field.description and name != "name"]
    if silent:
        missing.append(
            f"{', '.join(silent)}: no docstring below the field, which is its help in the form"
        )
    for attribute in ("weights", "same_loss"):
        odd = sorted(set(getattr(settings, attribute)) - set(fields))
        if odd:
            missing.append(f"{attribute} names {', '.join(odd)}: there is no such setting")
    if unknown := sorted({p for row in settings.report for p in row} - set(PANELS)):
        missing.append(f"report names {', '.join(unknown)}: there is no such panel")
    if empty := [name for name, text in settings.terms.items() if not text and name not in TERMS]:
        missing.append(f"terms says nothing about {', '.join(empty)}: give each a sentence")
    if missing:
        raise WrongError("; ".join(missing))


def _lines(summary: object) -> bool:
    return (
        isinstance(summary, Sequence)
        and not isinstance(summary, str)
        and all(isinstance(line, str) for line in summary)
    )
