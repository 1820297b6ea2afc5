"""Ten steps of a method on the digits, and what training, evaluation and resuming need of it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

from tui_latent.config.methods import METHOD_SETTINGS
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import dump_preset, parse_preset
from tui_latent.config.settings import Preset
from tui_latent.launch.checked_method import BATCH, STEPS, CheckedMethod
from tui_latent.launch.method_description import require_description
from tui_latent.launch.tried_checks import Check, WrongError, tried

_DIM: Final = 3
"""latent dimension, unlike any other size in the check"""


def check_method(
    name: str, settings: Mapping[str, object], file: Path | None = None
) -> list[Check]:
    """Train ten steps of a registered method, with some of its settings; PresetError for these.

    `file` is the plugin that the method or its network comes from, whose lines are named.
    """
    preset = _preset(name, settings)
    method = CheckedMethod(preset)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("it is described", lambda: require_description(preset.method)),
        ("a run keeps its settings", lambda: _keep_settings(preset)),
        ("its networks are built", method.build),
    ]
    if preset.method.fitted:
        steps += [("it is fitted to the digits", method.fit)]
    else:
        steps += [
            ("its terms are named, finite float32 scalars", method.terms),
            (f"{STEPS} steps on the digits keep the loss finite", method.train),
            ("gradients reach every parameter", method.gradients),
            ("losses and latents stay float32 under bfloat16", method.bfloat16),
        ]
        if not preset.method.supervised:
            steps += [("training sees no label", method.labels)]
    steps += [
        ("embed is deterministic in evaluation mode", method.embeds),
        ("decode returns images if decodes says so", method.decodes),
        ("a checkpoint brings back the same latents", method.checkpoint),
    ]
    if not preset.method.fitted:
        steps += [("resumed training repeats its steps bit for bit", method.resumes)]
    return tried(steps, _NEEDED, file)


_NEEDED: Final = (2, 3, 4)
"""positions of the checks after which no later one can be tried, if they raise"""


def _keep_settings(preset: Preset) -> None:
    """Write the settings as a run does, and read them again."""
    try:
        again = parse_preset(tomllib.loads(dump_preset(preset)), {}, where="preset.toml")
    except (ValueError, TypeError) as error:
        why = str(error).partition("\n")[0]
        raise WrongError(
            f"its settings cannot be written as TOML ({why}): use only numbers, strings, "
            "booleans, paths, and lists or tables of these"
        ) from error
    if again.method != preset.method:
        raise WrongError(
            f"a run's preset.toml gives other settings: {again.method} instead of {preset.method}"
        )


def _preset(name: str, settings: Mapping[str, object]) -> Preset:
    table = {
        "data": {"source": "digits"},
        "augment": {"rotate": 15.0, "translate": 0.06},
        "method": {"name": name, "latent_dim": _DIM},
        "train": {"batch_size": BATCH, "device": "cpu", "epochs": 1, "precision": "float32"},
    }
    try:
        return parse_preset(table, settings, where=name)
    except PresetError as error:
        problems = [_with_remedy(name, key, problem) for key, problem in error.problems]
        raise PresetError(name, problems) from error


_EXAMPLES: Final = {bool: "true", int: "1", float: "0.5"}


def _with_remedy(method: str, key: str, problem: str) -> tuple[str, str]:
    """Say how to give a required setting that is missing."""
    field = METHOD_SETTINGS[method].model_fields.get(key.removeprefix("method."))
    if problem != "missing" or field is None:
        return key, problem
    kind = field.annotation
    example = get_args(kind)[0] if get_origin(kind) is Literal else "VALUE"
    example = _EXAMPLES.get(kind, example) if isinstance(kind, type) else example
    return key, f"the method requires it: give it with --set {key}={example}"
