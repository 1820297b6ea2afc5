"""What a study of a finding is: variants to train, what to measure, and what to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.findings.finished import Finished

Numbers = dict[str, float]
UNTRAINED = "untrained network"
INPUTS = "pixels"


@dataclass(frozen=True)
class Variant:
    """A preset with what makes it this variant, whatever the size of the study."""

    label: str
    preset: str
    changes: tuple[str, ...] = ()
    """as after `--set`"""
    earlier: str = ""
    """label of the variant in whose space neighbours are looked for"""
    subset: tuple[str, ...] = ()
    """what is changed beside `Study.subset` on a subset"""
    full: tuple[str, ...] = ()
    """what is changed beside `Study.full` at the published size"""
    subset_preset: str = ""
    """preset of a subset, if settings are not enough"""
    untrained: str = ""
    """what its untrained network is called, if variants have untrained networks of their own"""


@dataclass(frozen=True)
class Column:
    """A measure that the table shows."""

    measure: str
    heading: str
    decimals: int = 3


@dataclass(frozen=True)
class Comparison:
    """A claim: the first variant has the larger measure, seed by seed."""

    claim: str
    published: str
    first: str
    second: str
    measure: str
    larger: bool | None = True
    """whether the published finding is that the first is larger; None if none was published"""


@dataclass(frozen=True)
class Choice:
    """Variants of which one is chosen by the validation images, and reported with the test."""

    what: str
    among: tuple[str, ...]
    measure: str = "knn_20"


@dataclass(frozen=True)
class Study:
    """Variants trained with the same seeds, and what is said of them."""

    heading: str
    about: str
    """what was done, and how far it is from what was published"""
    variants: tuple[Variant, ...]
    measure: Callable[[Finished], tuple[Numbers, Numbers]]
    """of a trained run: measures of the validation images, and of the test images"""
    columns: tuple[Column, ...]
    more_columns: tuple[Column, ...] = ()
    """of a second table of the same variants"""
    subset: tuple[str, ...] = ()
    """settings of every variant on a subset"""
    full: tuple[str, ...] = ()
    """settings of every variant at the published size"""
    seeds: int = 5
    comparisons: tuple[Comparison, ...] = ()
    choices: tuple[Choice, ...] = ()
    references: Callable[[Finished], Mapping[str, Numbers]] | None = None
    """of a run, test measures of its untrained network and of the pixels: of the first variant's
    run, and of those whose untrained network is named"""
    published: Mapping[str, str] | None = None
    """label of a variant -> what was published of it"""

    def labels(self) -> Sequence[str]:
        """Return the label of each variant in order."""
        return [variant.label for variant in self.variants]

    def untrained(self, variant: Variant) -> str:
        """Return the label of the row of a variant's untrained network; empty if it has none."""
        if self.references is None or not (variant.untrained or variant is self.variants[0]):
            return ""
        return f"{UNTRAINED}, {variant.untrained}" if variant.untrained else UNTRAINED

    def rows(self) -> Sequence[str]:
        """Return the label of each row of the table in order."""
        untrained = [self.untrained(variant) for variant in self.variants]
        return [*self.labels(), *(label for label in untrained if label), INPUTS]

    def preset(self, variant: Variant, full: bool) -> str:
        """Return the preset of a variant."""
        return variant.preset if full or not variant.subset_preset else variant.subset_preset

    def settings(self, variant: Variant, full: bool) -> tuple[str, ...]:
        """Return what is changed of a variant's preset; the last of two that disagree counts."""
        size = (*self.full, *variant.full) if full else (*self.subset, *variant.subset)
        return (*size, *variant.changes)
