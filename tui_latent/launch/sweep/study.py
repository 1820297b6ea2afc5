"""The study of a search: Optuna's record of what was tried, in the sweep's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tui_latent.launch.sweep.grid import Choices, Span
from tui_latent.runs.schema import RunError
from tui_latent.runs.sweep_folder import Search

STORAGE: Final = "optuna.journal"
_NAME: Final = "sweep"


def require_optuna() -> Any:
    """Return Optuna; RunError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise RunError("--search optuna needs Optuna: pip install 'tui-latent[optuna]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def opened_study(
    folder: Path,
    search: Search,
    grid: Sequence[Choices],
    tried: Mapping[int, Mapping[str, object]],
) -> Any:
    """Return the study of a sweep, or a new one if it is of another grid or of other runs.

    `tried` are the settings of the sweep's runs by the number of their trial. RunError if the
    study cannot be read.
    """
    optuna = require_optuna()
    file = folder / STORAGE
    try:
        _cut_unfinished_line(file)
        storage = _storage(optuna, file)
        study = _created(optuna, storage, search, len(tried))
        if not _fits(study, grid, tried):
            optuna.delete_study(study_name=_NAME, storage=storage)
            study = _created(optuna, storage, search, len(tried))
    except (ValueError, LookupError, TypeError, AssertionError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is damaged"
        raise RunError(
            f"{file}: the search cannot continue from it ({why}): move it away, and run the same "
            "command again, which continues from the results of the runs"
        ) from error
    return study


def distribution(choices: Choices) -> Any:
    """Return the values of a setting as one of Optuna's distributions."""
    of = require_optuna().distributions
    _, values = choices
    if not isinstance(values, Span):  # by their places: Optuna's storage knows only plain values
        return of.CategoricalDistribution(tuple(range(len(values))))
    if values.whole:
        return of.IntDistribution(int(values.low), int(values.high), log=values.log)
    return of.FloatDistribution(values.low, values.high, log=values.log)


def parameters(values: Mapping[str, object], grid: Sequence[Choices]) -> dict[str, object] | None:
    """Return a run's settings as Optuna's parameters; None if they are not in the grid."""
    found: dict[str, object] = {}
    for key, choices in grid:
        value = values.get(key)
        if isinstance(choices, Span):
            if not isinstance(value, int | float) or not choices.low <= value <= choices.high:
                return None
            found[key] = value
        elif value in choices:
            found[key] = list(choices).index(value)
        else:
            return None
    return found


def settings(parameters: Mapping[str, Any], grid: Sequence[Choices]) -> dict[str, object]:
    """Return Optuna's parameters as settings."""
    found: dict[str, object] = {}
    for key, choices in grid:
        value = parameters[key]
        if not isinstance(choices, Span):
            found[key] = choices[value]
        else:
            found[key] = value if choices.whole else choices.rounded(value)
    return found


def _created(optuna: Any, storage: Any, search: Search, seed: int) -> Any:
    """Return the study; a search that goes on needs a `seed` with which it has not begun before.

    Otherwise it would suggest once more what it suggested then.
    """
    return optuna.create_study(
        storage=storage,
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        study_name=_NAME,
        direction="maximize" if search.maximise else "minimize",
        load_if_exists=True,
    )


def _storage(optuna: Any, file: Path) -> Any:
    """Return a storage that works on network file systems too."""
    journal = optuna.storages.journal
    lock = journal.JournalFileOpenLock(str(file))
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(file), lock_obj=lock))


def _fits(study: Any, grid: Sequence[Choices], tried: Mapping[int, Mapping[str, object]]) -> bool:
    """Return whether all trials belong to this grid, as Optuna requires, and to these runs."""
    drawn_from = {choices[0]: distribution(choices) for choices in grid}
    for trial in study.get_trials(deepcopy=False):
        if any(drawn_from.get(key) != of for key, of in trial.distributions.items()):
            return False
        known = tried.get(trial.number)
        if known is None:
            continue
        # One that was killed while its settings were drawn has only some of them.
        if trial.params.keys() != drawn_from.keys() or settings(trial.params, grid) != known:
            return False
    return True


def _cut_unfinished_line(file: Path) -> None:
    """Remove an incomplete last line, which a process leaves that is killed while it writes."""
    if not file.exists():
        return
    with file.open("r+b") as journal:
        content = journal.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content) and not _is_json(content[whole:]):
            journal.truncate(whole)
        elif whole < len(content):
            journal.write(b"\n")


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
