"""timm networks as encoders: any channels, random or from weights, in runs that resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tui_latent.analysis.encoder import read_encoder
from tui_latent.analysis.run_data import RunData
from tui_latent.config.feature_models import PublishedModel
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import parse_preset
from tui_latent.config.settings import Preset
from tui_latent.datasets.timm_models import timm_trunk
from tui_latent.launch.extend import change_length, settings_for_epochs
from tui_latent.launch.start import check_preset, create_run, train_run
from tui_latent.methods import METHODS
from tui_latent.runs.reader import RunReader
from tui_latent.sources.errors import DataError
from tui_latent.training.checkpoint import load_checkpoint

timm = pytest.importorskip("timm", reason="timm is not installed: pip install 'tui-latent[timm]'")
TABLE: dict[str, Any] = {
    "data": {"source": "digits", "per_class": 10, "size": 32},
    "augment": {"noise": 0.1},
    "method": {"name": "contrastive", "latent_dim": 2, "hidden_dim": 16,
               "network": "timm:test_resnet"},
    "train": {"epochs": 1, "batch_size": 25, "device": "cpu", "lr": 1e-30, "warmup_epochs": 0},
}  # fmt: skip


def preset(**overrides: object) -> Preset:
    return parse_preset(TABLE, {k.replace("__", "."): v for k, v in overrides.items()}, "mine")


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("network", ["timm:test_resnet", "timm:test_vit", "timm:test_convnext"])
@pytest.mark.parametrize("method", ["vicreg", "autoencoder"])
def test_images_of_any_channels_are_embedded_and_learnt(
    channels: int, network: str, method: str
) -> None:
    settings = parse_preset(TABLE, {"method": {"name": method, "latent_dim": 3, "hidden_dim": 8,
                                               "network": network}}, "mine").method  # fmt: skip
    built = METHODS[method](settings, (channels, 32, 32))
    latents = built.embed(torch.rand(4, channels, 32, 32))
    assert latents.shape == (4, 3)
    latents.square().sum().backward()  # type: ignore[no-untyped-call]
    reached = [p.grad is not None for n, p in built.named_parameters() if ".network.stem" in n]
    assert all(reached)


def test_a_network_that_cannot_see_such_images_is_named() -> None:
    settings = preset(method__network="timm:test_vit").method
    with pytest.raises(DataError, match=r"method\.network: timm:test_vit cannot .* 5x5 pixels"):
        METHODS["contrastive"](settings, (1, 5, 5))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    save_file(timm.create_model("test_resnet", in_chans=3, num_classes=7).state_dict(), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "file", "said"),
    [(5, 5, ""), (1, 1, ""), (5, 3, ""), (3, 5, "takes images with 5 channels, not 3"),
     (4, 1, "takes images with 1 channel, not 4 or 3")],
)  # fmt: skip
def test_weights_for_the_channels_of_the_images_are_loaded_as_they_are(
    images: int, file: int, said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = timm.create_model("test_resnet", in_chans=file, num_classes=0).state_dict()
    save_file(state, tmp_path / "w.safetensors")
    trunk, _ = timm_trunk(PublishedModel("timm", "test_resnet"), (images, 32, 32))
    if said:
        with pytest.raises(DataError, match=said):
            trunk.load(tmp_path / "w.safetensors")
        return
    trunk.load(tmp_path / "w.safetensors")
    same = trunk.network.state_dict()["conv1.0.weight"].equal(state["conv1.0.weight"])
    assert same == (images == file)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.slow
def test_a_run_starts_from_weights_and_goes_on_without_them(weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(weights.read_bytes())
    chosen = preset(method__initial_weights=str(file))
    run = create_run("mine", chosen, tmp_path, "one")
    status = train_run(run)
    assert status.state == "finished", status.error
    assert f"the network starts from the weights in {file}" in (run / "train.log").read_text()
    saved = load_checkpoint(run / "checkpoints", "cpu")
    assert saved is not None
    expected = timm.create_model("test_resnet", in_chans=1, num_classes=0)
    name = next(n for n, p in expected.named_parameters() if p.ndim == 4 and "stem" not in n
                and "conv1" not in n.split(".")[:1])  # fmt: skip
    own = timm.create_model(
        "test_resnet", pretrained=True, pretrained_cfg_overlay={"file": str(file)}, num_classes=0
    ).state_dict()[name]
    [found] = [v for k, v in saved["method"].items() if k.endswith(f"network.{name}")]
    torch.testing.assert_close(found, own, atol=1e-6, rtol=0)  # a learning rate of 1e-30

    file.unlink()  # what a checkpoint has is not needed again
    change_length(run, settings_for_epochs(run, 2))
    status = train_run(run)
    assert status.state == "finished", status.error
    assert RunReader(run).refresh().status.epoch == 2
    encoder = read_encoder(RunData(run))
    assert encoder(torch.rand(3, 1, 32, 32)).shape == (3, 2)


@pytest.mark.slow
def test_weights_of_another_network_are_named(weights: Path, tmp_path: Path) -> None:
    chosen = preset(method__network="timm:test_convnext", method__initial_weights=str(weights))
    run = create_run("mine", chosen, tmp_path, "one")
    status = train_run(run)
    assert status.state == "failed"
    assert f"{weights}: not the weights of timm:test_convnext" in str(status.error)


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("method.network", "timm:test_resnt", "did you mean test_resnet"),
        ("method.initial_weights", "nowhere.pth", "there is no file at 'nowhere.pth'"),
    ],
)
def test_what_cannot_be_had_is_reported_before_a_run_is_made(
    setting: str, value: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(PresetError, match=sentence) as caught:
        check_preset(parse_preset(TABLE, {setting: value}, "mine"), tmp_path, "mine")
    assert caught.value.problems[0][0] == setting


@pytest.mark.parametrize("value", ["timm:", "timm:a b", "timm:resnet18@64", "tim:resnet18"])
def test_what_is_no_name_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(PresetError, match=r"method\.network"):
        parse_preset(TABLE, {"method.network": value}, "mine")
