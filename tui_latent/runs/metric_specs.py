"""Every metric that a run records or an evaluation measures: one row of one table.

The dashboard, reports, comparisons, tables and help read their names, directions and formats here.
A metric that has no row is charted under its own name, and no value of it counts as better.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from tui_latent.number_format import UNKNOWN, number

Group = Literal["accuracy", "loss", "term", "space", "system", "other"]
Direction = Literal["higher", "lower", ""]

GROUPS: Final[tuple[Group, ...]] = ("accuracy", "loss", "term", "other", "space", "system")
"""in the order in which tables list them"""


@dataclass(frozen=True)
class MetricSpec:
    """What is known of one metric."""

    name: str
    """as it is recorded: `val/knn_20`"""
    title: str
    short: str
    """its title where room is scarce: at most 11 characters for figures of the space"""
    group: Group
    direction: Direction
    """which value is better; empty where neither is"""
    meaning: str = ""
    """one sentence: what it measures, and when to worry"""
    unit: str = ""
    format: str = ""
    """Python's format of a value; empty for three significant digits"""
    key: bool = False
    """whether it is one of the few figures that sum up a run"""

    def text(self, value: float | None) -> str:
        """Return a value as it is written in a sentence, with its unit."""
        if value is None:
            return UNKNOWN
        written = format(value, self.format) if self.format else number(value)
        return f"{written} {self.unit}" if self.unit else written


def _knn(k: int) -> MetricSpec:
    voters = f"{k} nearest training images vote" if k > 1 else "nearest training image votes"
    return MetricSpec(
        f"val/knn_{k}",
        f"kNN@{k}, held out",
        f"kNN@{k}",
        "accuracy",
        "higher",
        f"Share of held-out images whose {voters} for their class; worry when it falls.",
        key=True,
    )


def _retrieval(k: int) -> MetricSpec:
    nearest = f"among the {k} nearest" if k > 1 else "the nearest"
    return MetricSpec(
        f"val/view_retrieval_{k}",
        f"view retrieval@{k}",
        f"retrieval@{k}",
        "space",
        "higher",
        f"Share of held-out images whose own latent is {nearest} to their other view, without "
        "labels; worry when it falls.",
    )


def _space(name: str, title: str, short: str, meaning: str, key: bool = False) -> MetricSpec:
    return MetricSpec(f"latent/{name}", title, short, "space", "", meaning, key=key)


def _system(name: str, title: str, meaning: str, unit: str = "", form: str = "") -> MetricSpec:
    return MetricSpec(f"train/{name}", title, title, "system", "", meaning, unit, form)


_OF_SPACE: Final = ("map", "inputs", "lidar", "collapse")
"""parts of an evaluation that say something of the space, and nothing of classes"""


def _measured(
    name: str, title: str, short: str, meaning: str, direction: Direction = "higher"
) -> MetricSpec:
    group: Group = "space" if name.partition("/")[0] in _OF_SPACE else "accuracy"
    return MetricSpec(name, title, short, group, direction, meaning)


LOSS: Final = MetricSpec(
    "train/loss",
    "loss, training",
    "loss",
    "loss",
    "lower",
    "The weighted sum of the loss terms on training images; worry when it rises or becomes NaN.",
    key=True,
)
HELD_OUT_LOSS: Final = MetricSpec(
    "val/loss",
    "loss, held out",
    "held-out loss",
    "loss",
    "lower",
    "The same sum on held-out images; worry when it rises while the training loss falls.",
)
TERMS: Final = {
    "info_nce": (
        "InfoNCE",
        "How well the other view of an image is told apart from all other images of the batch; "
        "worry when it stays at the logarithm of the batch size.",
    ),
    "norm": (
        "norm",
        "Mean squared length of the latents; worry when it grows without end.",
    ),
    "kl": (
        "KL",
        "Divergence of the latent Gaussians from the standard normal one; worry when it falls to "
        "0: then the latent says nothing about the image.",
    ),
    "invariance": (
        "invariance",
        "Mean squared distance between two views of an image; worry when it is 0 while the "
        "variance term is large: that is a collapse.",
    ),
    "variance": (
        "variance",
        "How far the standard deviation of each dimension stays below its target; worry when it "
        "stays near the target itself.",
    ),
    "covariance": (
        "covariance",
        "How much the dimensions repeat each other; worry when it grows.",
    ),
    "triplet": (
        "triplet",
        "By how much an image of another class is nearer than one of the same class, plus the "
        "margin; worry when it stays at the margin.",
    ),
    "pairwise": (
        "pairwise",
        "How far apart images of one class are, and how far inside the margin those of two "
        "classes are; worry when it stays constant.",
    ),
    "reconstruction": (
        "reconstruction",
        "Mean squared error of the decoded images; worry when the held-out one rises.",
    ),
}
"""name of a loss term -> title, meaning"""

METRICS: Final[tuple[MetricSpec, ...]] = (
    _knn(20),
    _knn(5),
    _knn(1),
    LOSS,
    HELD_OUT_LOSS,
    *(
        MetricSpec(f"{split}/{name}", f"{title}, {where}", title, "term", "lower", meaning)
        for name, (title, meaning) in TERMS.items()
        for split, where in (("train", "training"), ("val", "held out"))
    ),
    _retrieval(1),
    _retrieval(5),
    _space(
        "effective_rank",
        "effective rank",
        "eff. rank",
        "How many dimensions the latents use; worry when it falls to a small part of the latent "
        "dimension.",
        key=True,
    ),
    _space(
        "std_min",
        "smallest std",
        "std, min",
        "Standard deviation of the dimension that varies least; worry when it falls to 0: that "
        "dimension is lost.",
        key=True,
    ),
    _space(
        "std_mean",
        "mean std",
        "std, mean",
        "Standard deviation, averaged over the dimensions; worry when it falls to 0: all images "
        "are one point.",
    ),
    _space(
        "alignment",
        "alignment",
        "alignment",
        "Mean squared distance between two views of an image on the unit sphere, 0 to 4; worry "
        "near 2: then views are as far apart as unrelated images.",
        key=True,
    ),
    _space(
        "uniformity",
        "uniformity",
        "uniformity",
        "How evenly the latents cover the unit sphere, the more negative the more even; worry "
        "when it rises to 0: all latents point in one direction.",
        key=True,
    ),
    _space(
        "std_max",
        "largest std",
        "std, max",
        "Standard deviation of the dimension that varies most; worry when it is many times the "
        "mean: one dimension dominates.",
    ),
    _space(
        "projection_rank",
        "effective rank of the projection",
        "proj. rank",
        "How many dimensions the projection that the loss sees uses; worry when it falls: the "
        "loss has collapsed, and the representation learns nothing more.",
    ),
    _space(
        "projection_std",
        "mean std of the projection",
        "proj. std",
        "Standard deviation in the projection that the loss sees, averaged over its dimensions; "
        "worry when it falls to 0.",
    ),
    _space(
        "collapsed",
        "collapsed",
        "collapsed",
        "1 when the newest latents lie on one point or in one direction, otherwise 0.",
    ),
    _system("lr", "learning rate", "The learning rate of the step."),
    _system(
        "images_per_second",
        "speed",
        "Training images per second; worry when it falls while nothing else uses the machine.",
        "images/s",
        ",.0f",
    ),
    _system(
        "screen_share",
        "screen share",
        "Share of the training's time that the dashboard takes; worry above 5 %.",
        form=".1%",
    ),
)
"""what training records, the most important first"""

EVALUATION_FIGURES: Final[tuple[MetricSpec, ...]] = (
    _measured(
        "probe/accuracy",
        "linear probe",
        "probe",
        "Held-out accuracy of a linear classifier of the latents; worry when it is near that of "
        "the pixels or of an untrained network.",
    ),
    _measured(
        "probe/published",
        "linear probe, 10 epochs",
        "10 epochs",
        "Accuracy of a linear layer after 10 epochs of Adam on unscaled latents, as the VICReg "
        "analysis measures it; it depends on their scale.",
    ),
    _measured(
        "knn_weighted/accuracy",
        "kNN by cosine, weighted",
        "weighted kNN",
        "Accuracy of the k nearest by cosine, each voting with exp(cosine / t), as papers report "
        "it; worry when it is far from plain kNN.",
    ),
    _measured(
        "retrieval/recall",
        "recall@k",
        "recall",
        "Share of held-out images with a training image of their class among the k nearest; "
        "worry when it is no better than that of pixels.",
    ),
    _measured(
        "retrieval/map_at_r",
        "MAP@R",
        "MAP@R",
        "Mean average precision over as many images as the class has; worry when it is far below "
        "kNN: classes are in pieces.",
    ),
    _measured(
        "retrieval/r_precision",
        "R-precision",
        "R-precision",
        "Share of an image's nearest R that are of its class, R being the size of the class; "
        "chance is the share of the class.",
    ),
    _measured(
        "layers/knn",
        "kNN by layer",
        "kNN@20",
        "kNN@20 at each place of the network, of an untrained one and of the inputs, on the same "
        "sample; worry when the untrained one is as good.",
    ),
    _measured(
        "layers/probe",
        "probe by layer",
        "probe",
        "Linear probe at each place of the network, of an untrained one and of the inputs, on the "
        "same sample; worry when the inputs are as good.",
    ),
    _measured(
        "clustering/accuracy",
        "k-means accuracy",
        "accuracy",
        "Share of images in the cluster that stands for their class; worry when kNN is high and "
        "this is low: classes are not compact.",
    ),
    _measured(
        "clustering/nmi",
        "k-means NMI",
        "NMI",
        "Normalised mutual information of clusters and classes, 0 to 1; chance gives more than 0: "
        "see AMI.",
    ),
    _measured(
        "clustering/ari",
        "k-means ARI",
        "ARI",
        "Adjusted Rand index of clusters and classes; 0 is chance.",
    ),
    _measured(
        "clustering/ami",
        "k-means AMI",
        "AMI",
        "Mutual information of clusters and classes, adjusted for chance, which gives 0; worry "
        "when it is far below NMI: there are many small clusters.",
    ),
    _measured(
        "clustering/silhouette",
        "silhouette",
        "silhouette",
        "How much nearer an image is to its own cluster than to the next one, -1 to 1; worry "
        "near 0: clusters overlap.",
    ),
    _measured(
        "clustering/class_silhouette",
        "silhouette of the classes",
        "class silhouette",
        "How much nearer an image is to its own class than to the next one, -1 to 1, averaged "
        "over the classes; worry below 0: classes are mixed.",
    ),
    _measured(
        "map/trustworthiness",
        "trustworthiness",
        "trustworthiness",
        "Whether neighbours on the map are neighbours in the latent space; worry below 0.9: "
        "near 0.5 the map is random.",
    ),
    _measured(
        "map/continuity",
        "continuity",
        "continuity",
        "Whether neighbours in the latent space are neighbours on the map; worry below 0.9: "
        "the map tears neighbourhoods apart.",
    ),
    _measured(
        "map/area",
        "map, R_NX area",
        "R_NX area",
        "Agreement of neighbours on the map and in the latent space at all sizes, small ones "
        "counting more; worry near 0, which is chance.",
    ),
    _measured(
        "map/distances",
        "map, rank correlation of distances",
        "distances",
        "Whether images far apart in the latent space are far apart on the map, -1 to 1; worry "
        "near 0: the layout of the groups means nothing.",
    ),
    _measured(
        "map/neighbourhood_hit",
        "neighbourhood hit",
        "neighbourhood hit",
        "Share of an image's nearest on the map that are of its class; worry when it is far below "
        "kNN: the map mixes classes that the latents separate.",
    ),
    _measured(
        "inputs/trustworthiness",
        "trustworthiness to inputs",
        "trustworthiness",
        "Whether neighbours on the map are neighbours by their pixels (or features); a map of "
        "classes has less of it: worry near 0.5, which is random.",
    ),
    _measured(
        "inputs/continuity",
        "continuity to inputs",
        "continuity",
        "Whether neighbours by their pixels (or features) are neighbours on the map; worry near "
        "0.5, which is random.",
    ),
    _measured(
        "inputs/q_nx",
        "Q_NX to inputs",
        "Q_NX",
        "Share of the 20 nearest by inputs that are among the 20 nearest on the map; worry when "
        "it is near chance, 20 of all images.",
    ),
    _measured(
        "inputs/lcmc",
        "LCMC to inputs",
        "LCMC",
        "Q_NX less what chance gives: local continuity meta-criterion; worry near 0.",
    ),
    _measured(
        "inputs/area",
        "R_NX area to inputs",
        "R_NX area",
        "Agreement of neighbours by inputs and on the map at all sizes, small ones counting more: "
        "1 is perfect; worry near 0, which is chance.",
    ),
    _measured(
        "inputs/distances",
        "rank correlation of distances to inputs",
        "distances",
        "Whether images that differ much in their inputs are far apart on the map, -1 to 1; worry "
        "near 0 if the layout of groups matters.",
    ),
    _measured(
        "collapse/participation_ratio",
        "participation ratio",
        "participation ratio",
        "How many equal variances would spread the latents as much; worry when it is near 1 in "
        "many dimensions.",
        "",
    ),
    _measured(
        "collapse/alpha_req",
        "alpha-ReQ",
        "alpha",
        "How fast variances fall along the principal axes, as a power; near 1 is usual: worry "
        "far above, when few axes count, or near 0, when all are noise.",
        "",
    ),
    _measured(
        "lidar/lidar",
        "LiDAR",
        "LiDAR",
        "How many dimensions tell images apart beyond what augmentation changes; worry when it "
        "is a small part of the effective rank.",
        "",
    ),
    _measured(
        "anomaly/auc",
        "AUC, class left out",
        "AUC",
        "Chance that an image of a class left out scores as more anomalous than one of the "
        "others; 0.5 is guessing.",
    ),
    _measured(
        "anomaly/aupr",
        "AUPR, class left out",
        "AUPR",
        "Average precision of the anomaly score for a class left out; its share of the images is "
        "chance: worry when it is no higher.",
    ),
    _measured(
        "anomaly/fpr95",
        "FPR at 95 % TPR, class left out",
        "FPR@95",
        "Share of other images that raise an alarm when 95 % of a class left out are found; worry "
        "near 0.95, which is chance.",
        "lower",
    ),
)
"""what an evaluation measures beyond the recorded metrics, as `part/figure`"""

EVALUATION_PARTS: Final = {
    "knn_train": "kNN training",
    "knn_held_out": "kNN held out",
    "knn_weighted": "kNN weighted",
    "retrieval": "retrieval",
    "probe": "linear probe",
    "layers": "layers",
    "clustering": "k-means",
    "map": "2-D map",
    "inputs": "map vs input",
    "collapse": "latent space",
    "lidar": "LiDAR",
    "decoder": "decoder",
    "anomaly": "class AUC",
    "outliers": "outliers",
}
"""part of an evaluation -> its title, at most 12 characters"""

_BY_NAME: Final = {spec.name: spec for spec in (*METRICS, *EVALUATION_FIGURES)}
_PLACES: Final = {"train": ", training", "val": ", held out"}


def spec_of(metric: str) -> MetricSpec:
    """Return what is known of a metric; one without a row is `other`, with no better direction."""
    if metric in _BY_NAME:
        return _BY_NAME[metric]
    room, _, name = metric.rpartition("/")
    words = name.replace("_", " ")
    if room == "val" and name.startswith("knn_") and name[4:].isdecimal():
        return replace(_knn(int(name[4:])), key=False)
    return MetricSpec(metric, f"{words}{_PLACES.get(room, '')}", words, "other", "")


def in_group(*groups: Group) -> list[MetricSpec]:
    """Return the recorded metrics of some groups, in the order of the table."""
    return [spec for spec in METRICS if spec.group in groups]


def term_names(metrics: Iterable[str], declared: Collection[str] | None = None) -> list[str]:
    """Return the loss terms among recorded metrics, by their names without `train/` or `val/`.

    `declared` are the terms that the run's method names. Where it names none, a term is what the
    table calls one, or what is recorded of training and of held-out images alike.
    """
    recorded = list(metrics)
    names = dict.fromkeys(
        name for room, _, name in (m.partition("/") for m in recorded) if room == "train"
    )
    held_out = {name.removeprefix("val/") for name in recorded if name.startswith("val/")}
    terms = (TERMS.keys() | (held_out - {"loss"})) if declared is None else set(declared)
    return [name for name in names if name in terms and not _is_another(name)]


def spec_in_run(metric: str, terms: Collection[str]) -> MetricSpec:
    """Return `spec_of` a metric of a run with these loss terms, which may have no row.

    If `terms` maps names to sentences, as a method's do, a term without a row gets its sentence.
    """
    spec = spec_of(metric)
    room, _, name = metric.partition("/")
    if spec.group == "other" and room in _PLACES and name in terms:
        meaning = terms[name] if isinstance(terms, Mapping) else ""
        return replace(spec, group="term", direction="lower", meaning=meaning)
    return spec


def higher_is_better(metric: str) -> bool:
    """Return whether a larger value of the metric is a better one."""
    return spec_of(metric).direction == "higher"


def _is_another(name: str) -> bool:
    """Return whether the table lists `train/<name>` as something other than a loss term."""
    return spec_of(f"train/{name}").group not in ("term", "other")
