"""Features of timm and open_clip networks, against those that the libraries compute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from tui_latent.config.feature_models import PublishedModel, published_model
from tui_latent.config.settings import DataSettings
from tui_latent.datasets import feature_blocks
from tui_latent.datasets import features as features_module
from tui_latent.datasets.describe import describe_source
from tui_latent.datasets.feature_network import FeatureNetwork
from tui_latent.datasets.image_set import Dataset
from tui_latent.datasets.model_names import known_models
from tui_latent.datasets.preprocessing import Preprocessing, preprocessing_state
from tui_latent.datasets.published_network import feature_network
from tui_latent.datasets.sources import DataError, load_dataset

timm = pytest.importorskip("timm", reason="timm is not installed: pip install 'tui-latent[timm]'")
NAME = "test_resnet.r160_in1k"
"""timm's smallest network: 0.5 million weights, images of 160 pixels"""
CPU = torch.device("cpu")
TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 99, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """A timm network with its classifier and random weights."""
    torch.manual_seed(0)
    built: torch.nn.Module = timm.create_model(NAME, num_classes=1000).eval()
    for module in built.modules():  # running averages that are not 0 and 1
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
    return built


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file(network.state_dict(), path)
    return path


def model(inputs: str) -> PublishedModel:
    found = published_model(inputs)
    assert found is not None
    return found


def built(inputs: str, weights: Path) -> FeatureNetwork:
    return feature_network(model(inputs), weights, CPU)


def load(log: list[str] | None = None, /, **settings: Any) -> Dataset:
    chosen = DataSettings.model_validate({"source": "digits", "per_class": 2, **settings})
    return load_dataset(chosen, 0, (log if log is not None else []).append)


def photographs(count: int, side: int) -> Tensor:
    """Smooth colour images: uint8 (count, 3, side, side)."""
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(2))
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    return (smooth.clamp(0, 1) * 255).round().to(torch.uint8)


@pytest.mark.parametrize("side", [160, 300])
def test_features_are_those_of_timm_and_its_transform(
    network: torch.nn.Module, weights: Path, side: int
) -> None:
    images = photographs(3, side)
    config = timm.data.resolve_data_config(pretrained_cfg=network.pretrained_cfg) | {"crop_pct": 1}
    transform = timm.data.create_transform(**config)
    shown = [Image.fromarray(np.moveaxis(image.numpy(), 0, -1)) for image in images]
    with torch.no_grad():
        batch = torch.stack([transform(image) for image in shown])
        expected = network.forward_head(network.forward_features(batch), pre_logits=True)  # type: ignore[operator]
        found = built(f"timm:{NAME}", weights)(images.float() / 255)
    # Pillow rounds resized images to 8 bits, which ours are not.
    torch.testing.assert_close(found, expected, atol=0.02 if side != 160 else 1e-4, rtol=0.02)


def test_an_image_that_is_not_square_is_cropped_to_its_middle(weights: Path) -> None:
    images = photographs(2, 200)
    ours = built(f"timm:{NAME}", weights)
    with torch.no_grad():
        whole = ours(images[:, :, 20:180].float() / 255)
        middle = ours(images[:, :, 20:180, 20:180].float() / 255)
        grey = ours(images[:, :1].float() / 255)
    torch.testing.assert_close(whole, middle)
    assert grey.shape == whole.shape


def test_a_transformer_sees_images_of_the_size_that_is_named(tmp_path: Path) -> None:
    trained = timm.create_model("test_vit", num_classes=0)
    torch.save({"state_dict": {f"module.{k}": v for k, v in trained.state_dict().items()}},
               tmp_path / "vit.pt")  # fmt: skip
    ours = built("timm:test_vit@64", tmp_path / "vit.pt")
    assert ours.expects.size == (64, 64)
    with torch.no_grad():
        assert ours(torch.rand(2, 3, 160, 160)).shape == (2, trained.num_features)
    assert torch.equal(ours.network.state_dict()["norm.weight"], trained.norm.weight)


@pytest.mark.parametrize("spoil", ["other", "part", "text", "list", "pickle"])
def test_a_file_without_the_weights_is_named(
    network: torch.nn.Module, tmp_path: Path, spoil: str, data_folder: Path
) -> None:
    path = tmp_path / "mine.pth"
    state = network.state_dict()
    ran = tmp_path / "ran"
    if spoil == "text":
        path.write_text("hello")
    else:
        content: Any = {
            "other": timm.create_model("test_vit").state_dict(),
            "part": {k: v for k, v in state.items() if "layer3" not in k},
            "list": [1, 2],
            "pickle": _Runs(str(ran)),
        }[spoil]
        torch.save(content, path)
    with pytest.raises(DataError, match=r"mine.pth: not the weights of timm:test_resnet") as caught:
        load(inputs=f"timm:{NAME}", weights=str(path), classes=("1", "2"))
    assert "\n" not in str(caught.value)
    assert not ran.exists(), "a file of weights runs nothing"


class _Runs:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (self.path, "w"))


NESTED = {
    "nothing known": lambda state: {"weights": {}},
    "only other things": lambda state: {"epoch": torch.tensor(3)},
    "five channels": lambda state: state | {"conv1.0.weight": torch.zeros(16, 5, 3, 3)},
}


@pytest.mark.parametrize("content", NESTED.values(), ids=NESTED)
def test_a_file_without_weights_is_not_replaced_by_published_ones(
    content: Callable[[dict[str, Tensor]], Any], network: torch.nn.Module, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("timm asked the hub for its own weights")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", asked)
    torch.save(content(network.state_dict()), tmp_path / "mine.pt")
    with pytest.raises(DataError, match=r"mine.pt: not the weights of timm:"):
        built(f"timm:{NAME}", tmp_path / "mine.pt")


def test_features_are_computed_once_for_images_network_weights_and_size(
    data_folder: Path, weights: Path, network: torch.nn.Module, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    seen: list[int] = []
    plain = FeatureNetwork.forward

    def counting(self: FeatureNetwork, images: Tensor) -> Tensor:
        seen.append(len(images))
        return plain(self, images)

    monkeypatch.setattr(FeatureNetwork, "forward", counting)
    monkeypatch.setattr(features_module, "_SMALL_BLOCK", 2)
    chosen: dict[str, Any] = {"classes": ("1", "2"), "val_fraction": 0.01, "weights": str(weights)}
    log: list[str] = []
    first = load(log, inputs=f"timm:{NAME}", **chosen)
    count = len(first.train) + len(first.val)
    assert sum(seen) == count
    assert any("sees images of 160x160 pixels" in line and "data.size=160" in line for line in log)
    assert torch.equal(_features(load(inputs=f"timm:{NAME}", **chosen)), _features(first))
    assert sum(seen) == count
    load(inputs=f"timm:{NAME}@96", **chosen)
    assert sum(seen) == 2 * count, "another size, other features"
    changed = network.state_dict() | {"bn1.bias": torch.ones_like(network.bn1.bias)}  # type: ignore[union-attr, arg-type]
    torch.save(changed, tmp_path / "changed.pth")
    load(inputs=f"timm:{NAME}", **(chosen | {"weights": str(tmp_path / "changed.pth")}))
    assert sum(seen) == 3 * count, "other weights, other features"


def _features(dataset: Dataset) -> Tensor:
    assert dataset.train.features is not None
    return dataset.train.features


def test_progress_says_how_long_it_takes(
    data_folder: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_blocks, "ProgressLog", lambda log: log)
    log: list[str] = []
    load(log, inputs=f"timm:{NAME}", weights=str(weights), classes=("1", "2"), val_fraction=0.01)
    progress = [line for line in log if " features: " in line]
    assert progress[0].startswith(f"timm:{NAME} features: 4 of 4 images, ")
    assert progress[0].endswith(" s left")


def test_a_run_embeds_images_without_its_dataset(data_folder: Path, weights: Path) -> None:
    settings = DataSettings.model_validate(
        {"source": "digits", "per_class": 2, "val_fraction": 0.01, "inputs": f"timm:{NAME}",
         "weights": str(weights)}
    )  # fmt: skip
    dataset = load_dataset(settings, 0)
    preprocessing = Preprocessing(settings, preprocessing_state(dataset)).eval()
    with torch.no_grad():
        found = preprocessing(dataset.val.images[:4])
    assert dataset.val.features is not None
    torch.testing.assert_close(found, dataset.val.features[:4], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ("timm:resnt18", "did you mean resnet18"),
        ("timm:resnet18.a1_in2k", "resnet18.a1_in1k"),
        ("timm:test_resnet.none", "timm does not publish the weights"),
        ("open_clip:ViT-B-23/openai", "did you mean ViT-B-32"),
        ("open_clip:ViT-B-32/opnai", "did you mean openai"),
        ("open_clip:ViT-B-32", "does not say which weights: write open_clip:ViT-B-32/"),
    ],
)
def test_a_name_that_is_not_known_names_near_ones(
    inputs: str, words: str, data_folder: Path
) -> None:
    if inputs.startswith("open_clip"):
        pytest.importorskip("open_clip", reason="open_clip_torch is not installed")
    with pytest.raises(DataError) as caught:
        load(inputs=inputs)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_the_menu_knows_the_names_without_importing_the_libraries(data_folder: Path) -> None:
    code = (
        "import sys\n"
        "from tui_latent.config.settings import DataSettings\n"
        "from tui_latent.datasets.describe import describe_source as d\n"
        "print(d(DataSettings(source='digits', inputs='timm:resnt18')).problem)\n"
        "print('heavy', {'torch', 'timm', 'open_clip'} & set(sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "did you mean resnet18" in ran.stdout and "heavy set()" in ran.stdout
    listed = {name.partition(".")[0] for name in known_models("timm")}
    assert set(timm.list_models()) <= listed


def test_a_library_that_is_absent_is_named_with_its_command(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr("tui_latent.datasets.model_names._package", lambda library: None)
    with pytest.raises(DataError, match=r"pip install 'tui-latent\[timm\]'"):
        load(inputs=f"timm:{NAME}")
    settings = DataSettings(source="digits", inputs="open_clip:RN50/openai")
    assert "pip install 'tui-latent[open-clip]'" in describe_source(settings).problem


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TUI_LATENT_OFFLINE"])
def test_offline_is_honoured_before_any_call(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("TUI_LATENT_OFFLINE", raising=False)
    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("a network call"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=rf"{variable} forbids downloads.*data\.weights"):
        load(inputs=f"timm:{NAME}")


def test_without_a_network_a_sentence_comes_within_seconds(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUI_LATENT_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.file_download.http_backoff", pytest.fail, raising=False)
    with pytest.raises(DataError, match=r"http://127.0.0.1:9 cannot be reached .*data\.weights"):
        load(inputs=f"timm:{NAME}")


@pytest.fixture
def hub(weights: Path) -> Iterator[str]:
    """A hub on this machine that has the weights of one network."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(False)

        def do_GET(self) -> None:
            self._answer(True)

        def _answer(self, whole: bool) -> None:
            content = weights.read_bytes()
            there = self.path.endswith(f"timm/{NAME}/resolve/main/model.safetensors")
            self.send_response(200 if there or self.path == "/" else 404)
            if not there:
                self.send_header("X-Error-Code", "EntryNotFound")
                content = b""
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("ETag", '"abc"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if whole:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_weights_are_fetched_from_the_hub_once(hub: str, tmp_path: Path, weights: Path) -> None:
    code = (
        "from tui_latent.datasets.fetch import fetch\n"
        f"print(fetch('timm:{NAME}', print))\n"
        "import huggingface_hub, urllib.request\n"
        "urllib.request.urlopen = huggingface_hub.hf_hub_download = None\n"
        f"print(fetch('timm:{NAME}', print))\n"
    )
    home = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    plain = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=plain | home
    )
    assert ran.returncode == 0, ran.stderr
    log, first, again = ran.stdout.splitlines()
    assert log == f"downloading model.safetensors of timm/{NAME} from {hub}"
    assert first == again and Path(first).read_bytes() == weights.read_bytes()


@pytest.mark.slow
def test_open_clip_features_are_its_image_embeddings(tmp_path: Path) -> None:
    open_clip = pytest.importorskip("open_clip", reason="open_clip_torch is not installed")
    (tmp_path / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(tmp_path)
    torch.manual_seed(0)
    whole, _, transform = open_clip.create_model_and_transforms("tiny-clip")
    torch.save(whole.state_dict(), tmp_path / "clip.pt")
    images = photographs(2, 64)
    ours = built("open_clip:tiny-clip", tmp_path / "clip.pt")
    shown = [Image.fromarray(np.moveaxis(image.numpy(), 0, -1)) for image in images]
    with torch.no_grad():
        batch = torch.stack([transform(image) for image in shown])
        expected = whole.eval().encode_image(batch, normalize=True)
        found = ours(images.float() / 255)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    larger = built("open_clip:tiny-clip@96", tmp_path / "clip.pt")
    assert larger.expects.size == (96, 96)
    with pytest.raises(DataError, match=r"clip.pt: not the weights of open_clip:RN50"):
        built("open_clip:RN50", tmp_path / "clip.pt")
