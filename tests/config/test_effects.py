"""Settings without effect: none that is refused changes a training; all others reach the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import torch
from click.testing import CliRunner

from tui_latent.cli.main import main
from tui_latent.config.effects import effective, idle_settings, without_effect
from tui_latent.config.preset_fields import preset_fields
from tui_latent.config.preset_files import PresetError, preset_names, preset_path, read_table
from tui_latent.config.presets import idle_in_file, load_preset, parse_preset
from tui_latent.config.section import Section
from tui_latent.config.settings import Preset
from tui_latent.differing_settings import differing_settings
from tui_latent.launch.start import create_run, train_run

TRAIN: Final = {"epochs": 2, "batch_size": 12, "log_every": 1, "device": "cpu"}
DIGITS: Final = {"source": "digits", "per_class": 12, "classes": ["3", "5", "8"]}
SMALL: Final = {"latent_dim": 2, "width": 2, "hidden_dim": 8, "network": "mlp"}
VIEWS: Final = {"rotate": 15, "noise": 0.05}
STAGES: Final = [
    {"epochs": 1, "latent_dim": 3, "lr": 0.01},
    {"epochs": 2, "latent_dim": 2, "lr": 0.02, "trainable": "latent layer"},
]
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "cauchy": {"method": {"name": "contrastive"}, "augment": VIEWS},
    "stages": {"method": {"name": "contrastive"}, "augment": VIEWS, "stages": STAGES},
    "nt_xent": {"method": {"name": "contrastive", "loss": "nt_xent", "gaussian": True}},
    "jitter": {"method": {"name": "contrastive"}, "augment": {"jitter": 0.5, "brightness": 0.4}},
    "colourless": {"method": {"name": "contrastive"}, "augment": {"jitter": 0.5, "hue": 0.4}},
    "elastic": {"method": {"name": "vicreg", "projector": [8]}, "augment": {"elastic": 0.1}},
    "no variance": {"method": {"name": "vicreg", "projector": [8], "variance_weight": 0.0}},
    "triplet": {"method": {"name": "triplet"}, "train": TRAIN | {"optimizer": "sgd"}},
    "pairs": {"method": {"name": "siamese"}},
    "no metric": {"method": {"name": "siamese", "metric_weight": 0.0, "pairing": "triplets"}},
    "gaussian pairs": {"method": {"name": "siamese", "variational": True}},
    "autoencoder": {"method": {"name": "autoencoder"}, "train": TRAIN | {"eval_every": 9}},
    "variational": {"method": {"name": "autoencoder", "variational": True}},
    "features": {"method": {"name": "triplet"}, "data": DIGITS | {"inputs": "hog"}},
    "warm-up": {"method": {"name": "autoencoder"}, "train": TRAIN | {"warmup_epochs": 2}},
    "eigenmaps": {"method": {"name": "eigenmaps", "latent_dim": 2}},
}
OTHERWISE: Final[dict[str, Any]] = {
    "data.path": "elsewhere",
    "data.root": "elsewhere",
    "data.image_column": "picture",
    "data.label_column": "kind",
    "data.weights": "weights.pth",
    "data.range": "percentile 1 99",
    "data.fit": "pad",
    "data.show": (0,),
    "data.resident": "disk",
    "data.merge": {"both": ("3", "5")},
    "method.network": "resnet18",
    "method.initial_weights": "published",
    "method.variance_sum": "full",
    "method.neighbours_run": "some-run",
    "train.optimizer": "sgd",
    "train.schedule": "constant",
    "train.device": "cuda",
    "train.precision": "bfloat16",
    "train.acceleration": "compile",
    "train.patience": 1,
    "train.epochs": 5,
    "train.batch_size": 9,
    "train.momentum": 0.5,
}
"""another value of a setting; of the others, half of their range or a little more"""
UNREAD: Final = {
    *("data.skip_corrupt", "train.device", "train.devices", "data.inputs"),
    "train.pause_on_collapse",
}
"""settings that other code than the trainer's reads"""


def variant(name: str) -> Preset:
    tables = VARIANTS[name]
    small = {} if tables["method"]["name"] == "eigenmaps" else SMALL
    table = {"data": DIGITS, "train": TRAIN} | tables | {"method": small | tables["method"]}
    return parse_preset(table, {}, name)


def other(key: str, value: object) -> object:
    """Return another value than the one that a setting has."""
    if key in OTHERWISE:
        return OTHERWISE[key]
    if isinstance(value, bool):
        return not value
    assert isinstance(value, (int, float)), key
    if isinstance(value, int):
        return value + 1
    return value / 2 if value else 0.3


def with_values(preset: Preset, values: dict[str, Any]) -> Preset:
    sections: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, name = key.split(".")
        sections.setdefault(section, {})[name] = value
    changed = {s: getattr(preset, s).model_copy(update=v) for s, v in sections.items()}
    return preset.model_copy(update=changed)


def trained(preset: Preset, runs: Path, name: str) -> dict[str, torch.Tensor]:
    path = create_run("none", preset, runs, name)
    status = train_run(path)
    assert status.state == "finished", status.error
    newest = sorted((path / "checkpoints").glob("step-*.pt"))[-1]
    state = torch.load(newest, weights_only=True)
    weights: dict[str, torch.Tensor] = state["method"] | {"step": torch.tensor(state["step"])}
    return weights


@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_without_effect_changes_no_weight_and_all_else_is_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = variant(name)
    idle = without_effect(preset)
    read: set[str] = set()
    plain = Section.__getattribute__

    def spy(self: Section, attribute: str) -> Any:
        read.add(f"{type(self).__name__}.{attribute}")
        return plain(self, attribute)

    path = create_run("none", preset, tmp_path, "first")
    with monkeypatch.context() as patch:
        patch.setattr(Section, "__getattribute__", spy)
        assert train_run(path).state == "finished"
    fields = {field.key: field for field in preset_fields(preset)}
    for key in fields.keys() - idle.keys():
        first, *_, last = key.split(".")
        model = "StageSettings" if first == "stages" else type(getattr(preset, first)).__name__
        assert f"{model}.{last}" in read or key in ("data.merge", *UNREAD), key

    monkeypatch.chdir(tmp_path)
    Path("weights.pth").touch()
    # The share and the strength of colour changes have no effect alone, but together.
    apart = ("train.device", "train.devices", "augment.jitter" if idle.get("augment.hue") else "")
    changed = {key: other(key, fields[key].value) for key in idle if key not in apart}
    before = trained(preset, tmp_path, "before")
    after = trained(with_values(preset, changed), tmp_path, "after")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert effective(with_values(preset, changed)) == effective(preset)


@pytest.mark.parametrize("name", VARIANTS)
def test_each_is_refused_with_a_sentence_that_names_it(name: str) -> None:
    preset = variant(name)
    table = preset.model_dump(mode="json")
    for key, value in {f.key: f.value for f in preset_fields(preset)}.items():
        if key not in without_effect(preset):
            continue
        with pytest.raises(PresetError) as caught:
            parse_preset(table, {key: other(key, value)}, "mine.toml")
        assert f"{key}: has no effect, because " in str(caught.value)
        assert "{" not in str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_no_bundled_preset_says_what_has_no_effect(name: str) -> None:
    assert idle_in_file(name, load_preset(name)) == []


@pytest.mark.parametrize("name", [n for n in preset_names() if load_preset(n).stages])
@pytest.mark.parametrize("key", ["epochs", "lr", "warmup_epochs"])
def test_a_staged_preset_names_the_setting_that_has_the_effect(name: str, key: str) -> None:
    table = read_table(preset_path(name))
    with pytest.raises(PresetError, match=rf"train\.{key}: .*set stages\.0\.{key} .*stages\.\*\."):
        parse_preset(table, {f"train.{key}": 1}, name)
    preset = parse_preset(table, {f"stages.*.{key}": 1}, name)
    assert {getattr(stage, key) for stage in preset.training_stages()} == {1}


def test_what_a_command_makes_effective_is_taken() -> None:
    changes: dict[str, object] = {"method.loss": "nt_xent", "method.temperature": 0.1}
    preset = load_preset("digits-contrastive-2d", changes)
    assert not idle_settings(preset, changes)
    flat = load_preset("digits-contrastive-2d", {"stages": [], "train.lr": 0.5})
    assert flat.training_stages()[0].lr == 0.5


def test_switching_off_what_is_off_is_no_mistake() -> None:
    augment = load_preset(
        "digits-contrastive-2d", {"augment.jitter": 0, "augment.brightness": 0}
    ).augment
    assert augment is not None and augment.jitter == augment.brightness == 0


def test_the_command_line_refuses_before_anything_is_made(tmp_path: Path) -> None:
    for command in (["train"], ["sweep", "--grid", "train.lr=1e-3,1e-2"]):
        first, *rest = command
        words = [first, "digits-contrastive-2d", *rest, "--runs", str(tmp_path / "runs")]
        result = CliRunner().invoke(main, [*words, *(["--set", "train.lr=1"] if not rest else [])])
        assert result.exit_code == 2
        assert "train.lr: has no effect" in result.output and "stages.0.lr" in result.output
    assert not (tmp_path / "runs").exists()


def test_a_file_that_says_it_is_reported_and_trains(tmp_path: Path) -> None:
    text = preset_path("digits-contrastive-2d").read_text()
    file = tmp_path / "mine.toml"
    file.write_text(
        text.replace("[train]", "[train]\nlr = 0.5").replace("epochs = ", "epochs = 1#")
    )
    words = ["train", str(file), "--set", "data.per_class=4", "--runs", str(tmp_path / "runs")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "train.lr has no effect" in result.output and "stages.0.lr" in result.output
    [run] = (tmp_path / "runs").iterdir()
    again = CliRunner().invoke(main, ["train", str(run / "preset.toml"), *words[2:]])
    assert again.exit_code == 0 and "no effect" not in again.output


def test_a_comparison_leaves_out_what_has_no_effect() -> None:
    one = load_preset("digits-contrastive-2d").model_dump(mode="json")
    other_one = load_preset("digits-contrastive-2d").model_dump(mode="json")
    other_one["train"]["lr"] = 0.5
    other_one["method"]["temperature"] = 0.1
    assert differing_settings([one, other_one]) == ()
    other_one["method"]["loss"] = "nt_xent"
    rows = {row.key: row.values for row in differing_settings([one, other_one])}
    assert rows == {
        "method.loss": ("cauchy", "nt_xent"),
        "method.temperature": (None, 0.1),
    }
