"""The data, latents and model of a run, read once and kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tui_latent.analysis.errors import InspectionError
from tui_latent.analysis.images import load, load_images
from tui_latent.analysis.pictures import Pictures, of_split, of_thumbnails, why_no_thumbnails
from tui_latent.analysis.run_latents import RunLatents, read_latents
from tui_latent.config.preset_files import PresetError
from tui_latent.config.presets import load_run_preset
from tui_latent.config.stand_ins import UnknownMethod, lacks_network, preset_without_plugins
from tui_latent.runs.atomic_files import Signature, signature
from tui_latent.runs.latents_file import LATENTS_FILE, UNLABELLED
from tui_latent.runs.manifest import read_manifest
from tui_latent.runs.map_store import MapFolder
from tui_latent.runs.origin import Origin, nouns_of, origin_of
from tui_latent.runs.schema import RunError
from tui_latent.runs.thumbnails import Split
from tui_latent.sources import SOURCES
from tui_latent.sources.errors import DataError
from tui_latent.trained_on import IMAGES_FILE, TrainedOn, read_trained_on, refuse_others

if TYPE_CHECKING:
    from torch import Tensor

    from tui_latent.config.settings import Preset
    from tui_latent.datasets.identity import DataIdentity
    from tui_latent.datasets.image_set import Dataset, ImageSet
    from tui_latent.methods.method import Method

CHECKPOINTS: Final = "checkpoints"
NO_NETWORK: Final = (
    "the run was not trained by tui-latent, which has its latents, but neither its network nor its "
    "settings"
)


@dataclass(frozen=True, eq=False)
class RunModel:
    """A method with the weights of the newest checkpoint, in evaluation mode, on the CPU."""

    method: Method
    step: int
    signature: Signature
    preprocessing: Mapping[str, Any] | None = None
    """what turns images into its inputs; None in checkpoints that do not hold it"""


class RunData:
    """Reads each part of a run on first use; newer latents and weights replace older ones.

    Thread-safe. Every call may take seconds the first time, and may raise InspectionError.
    """

    def __init__(self, path: Path) -> None:
        """Read the preset of the run at `path`, nothing else yet."""
        try:
            self.origin: Origin = origin_of(read_manifest(path).provenance)
            self.preset: Preset | None = None
            """None for a run that was not trained here; has stand-ins where a plugin is missing"""
            self.lacks = ""
            """the plugins that are missing, and how to get them"""
            if self.origin == "trained":
                self.preset, self.lacks = preset_without_plugins(path)
                if not self.lacks:
                    self.preset = load_run_preset(path)
        except (PresetError, RunError) as error:
            raise InspectionError(str(error)) from error
        self.path = path
        self.nouns = nouns_of(self.origin)
        self.channels: tuple[int, ...] | None = None
        """the channels to show; None for those of the preset"""
        self._mutex = threading.RLock()
        self._maps = MapFolder(path)
        self._trained_on: TrainedOn | None = None
        self._noted: Signature | None = None
        self._images: Dataset | None = None
        self._inputs: Dataset | None = None
        self._latents: RunLatents | None = None
        self._model: RunModel | None = None

    def own_preset(self) -> Preset:
        """Return the preset; InspectionError for a run that was not trained here."""
        if self.preset is None:
            raise InspectionError(f"{self.path.name}: {NO_NETWORK}")
        return self.preset

    def why_no_network(self) -> str:
        """Return why no image can be embedded; empty if the run has its network."""
        if self.preset is None:
            return f"{self.path.name}: {NO_NETWORK}"
        method = self.preset.method
        lost = isinstance(method, UnknownMethod) or lacks_network(getattr(method, "network", None))
        return self.lacks if lost else ""

    def shown_channels(self) -> tuple[int, ...]:
        """Return which channels of the images are shown; none for the first."""
        return self.own_preset().data.show if self.channels is None else self.channels

    def channel_count(self) -> int:
        """Return how many channels the images have; 0 while they have not been read."""
        images = self._images
        return 0 if images is None else images.val.shape[0]

    def pictures(self, split: Split) -> Pictures:
        """Return what can be seen of a split, "train" or "val".

        They are the images of the dataset, or the thumbnails of a run that was not trained here.
        Where neighbours are looked for among the held-out latents, these are "train" too.
        InspectionError if there are none.
        """
        with self._mutex:
            if self.preset is not None:
                return self._of_dataset(split)
            latents = self.latents()
            if latents.bank_is_queries:
                split = "val"
            labels = latents.query_labels if split == "val" else latents.bank_labels
            return of_thumbnails(self.path, self.origin, split, labels, self.class_names())

    def _of_dataset(self, split: Split) -> Pictures:
        dataset, show = self.dataset(), self.shown_channels()
        images = dataset.val if split == "val" else dataset.train
        if (images.labels != UNLABELLED).all() or signature(self.path / LATENTS_FILE) is None:
            return of_split(images, channels=show)
        latents = self.latents()  # labels may have come after the training
        labels = latents.query_labels if split == "val" else latents.bank_labels
        labels_of = labels if len(labels) == len(images) else None
        return of_split(images, labels_of, self.class_names(), show)

    def class_names(self) -> tuple[str, ...]:
        """Return the class names in the run's newest map; empty without a map or labels."""
        _, newest = self._maps.refresh(None)
        return newest.map.class_names if newest is not None else ()

    def has_labels(self) -> bool:
        """Return whether any image of the newest latents has a label."""
        latents = self.latents()
        both = (latents.query_labels, latents.bank_labels)
        return any(bool((labels != UNLABELLED).any()) for labels in both)

    def why_no_images(self) -> str:
        """Return why a run has no images to show; empty if it should have some.

        The images of a run that was trained here are known to be missing only when they are read.
        """
        if self.preset is not None:
            return ""
        return why_no_thumbnails(self.path, self.origin)

    def dataset(self) -> Dataset:
        """Return the images, without the features computed from them.

        InspectionError says what has changed if they are not the run's images.
        """
        preset = self._preset_of_images()
        with self._mutex:
            self._refresh_record()
            if self._images is None:
                settings, seed = preset.data, preset.train.seed
                self._images = load_images(settings, seed, self._refuse_others)
            return self._images

    def _preset_of_images(self) -> Preset:
        preset = self.own_preset()
        if preset.data.source not in SOURCES:
            raise InspectionError(self.lacks)
        return preset

    def inputs(self) -> Dataset:
        """Return the dataset with what the network sees: the images, or their features."""
        preset = self._preset_of_images()
        if preset.data.inputs == "raw":
            return self.dataset()
        with self._mutex:
            self._refresh_record()
            if self._inputs is None:
                settings, seed = preset.data, preset.train.seed
                self._inputs = load(settings, seed, self._refuse_others)
            return self._inputs

    def require_images_of(self, step: int | None) -> None:
        """Refuse to show images for a step at which the run had other ones."""
        with self._mutex:
            self._refresh_record()
            since = -1 if self._trained_on is None else self._trained_on.since
        if step is not None and 0 <= step <= since:
            raise InspectionError(
                f"up to step {since:,}, {self.path.name} was trained on other images: none can be "
                f"shown for step {step:,}"
            )

    def _refresh_record(self) -> None:
        """If the record of the run's images has changed, read it again and drop what was loaded."""
        now = signature(self.path / IMAGES_FILE)
        if now == self._noted:
            return
        try:
            self._trained_on = read_trained_on(self.path)
        except RunError as error:
            raise InspectionError(str(error)) from error
        self._noted, self._images, self._inputs = now, None, None

    def _refuse_others(self, found: DataIdentity) -> None:
        refuse_others(self.path, self._trained_on, found)

    def latents(self) -> RunLatents:
        """Return the latents of the newest evaluation; needs no images."""
        path = self.path / LATENTS_FILE
        with self._mutex:
            now = signature(path)
            if now is None:
                how = "the first evaluation writes them"
                if self.origin == "watched":
                    how = "its loop gives them by run.latents(STEP, queries=LATENTS)"
                raise InspectionError(f"{self.path.name} has no latents yet: {how}")
            if self._latents is None or self._latents.signature != now:
                self._latents = read_latents(path, now)
            return self._latents

    def matching_latents(self) -> RunLatents:
        """Return the latents, after checking that row i belongs to image i of the dataset."""
        latents = self.latents()
        if self.preset is None:
            return latents
        dataset = self.dataset()
        self.require_images_of(latents.step)
        same = _alike(latents.bank_labels, dataset.train.labels)
        if not (same and _alike(latents.query_labels, dataset.val.labels)):
            raise InspectionError(
                f"{latents.path}: these latents are not of the images that {dataset.name} has now: "
                "the data has changed since training"
            )
        return latents

    def model(self) -> RunModel:
        """Return the method with the newest weights; needs no images."""
        folder = self.path / CHECKPOINTS
        if why := self.why_no_network():
            raise InspectionError(why)
        with self._mutex:
            now = signature(folder / "last.json")
            if now is None:
                raise InspectionError(
                    f"{self.path.name} has no checkpoint yet: `k` on the dashboard saves one"
                )
            if self._model is None or self._model.signature != now:
                self._model = self._read_model(folder, now)
            return self._model

    def require(self, index: int, split: Pictures | ImageSet) -> None:
        """Refuse an index that the held-out split does not have."""
        if not 0 <= index < len(split):
            raise InspectionError(
                f"{self.path.name} has no {self.nouns.held_out} {index:,}: "
                f"they are numbered 0 to {len(split) - 1:,}"
            )

    def _read_model(self, folder: Path, now: Signature) -> RunModel:
        from tui_latent.methods import METHODS
        from tui_latent.training.checkpoint import CheckpointError, load_checkpoint

        try:
            saved = load_checkpoint(folder, "cpu")
        except CheckpointError as error:
            raise InspectionError(str(error)) from error
        if saved is None:
            raise InspectionError(f"{folder}: no readable checkpoint")
        preset = self.own_preset()
        shape = saved.get("input_shape") or self.inputs().input_shape
        try:
            method = METHODS[preset.method.name](preset.method, tuple(shape))
        except DataError as error:  # an optional package is not installed here
            raise InspectionError(str(error)) from error
        for stage in preset.training_stages()[: saved["stage"] + 1]:
            method.start_stage(stage)
        try:
            method.load_state_dict(saved["method"])
        except RuntimeError as error:
            raise InspectionError(
                f"{folder}: its weights do not fit the network of {self.path.name}: {error}"
            ) from error
        return RunModel(method.eval(), saved["step"], now, saved.get("preprocessing"))


def _alike(latents: Tensor, images: Tensor) -> bool:
    """Return whether labels of latents and of images can be of the same images.

    Images without labels may have been given some after the training, which only the latents have.
    """
    if len(latents) != len(images):
        return False
    return bool(((images == UNLABELLED) | (latents == images)).all())
