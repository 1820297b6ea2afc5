"""A finding about a run, and all findings of a run as a verdict: immutable, in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Severity = Literal["bad", "warning", "good", "note"]
"""what is wrong, what to look at, what is as it should be, what is worth knowing"""

MARKS: Final[dict[Severity, str]] = {"bad": "✗", "warning": "!", "good": "✓", "note": "·"}
"""one character each, so that colour is not the only sign"""

Place = Literal["evaluation", "map", "confusion", "curves", "log", "images"]


@dataclass(frozen=True)
class Door:
    """Where a finding can be seen."""

    place: Place
    key: str
    """id of the dashboard's key that leads there, in the table of keys"""
    words: str
    """what is seen there"""
    truth: int | None = None
    """class of the images, by its number; of a confusion, the true one"""
    called: int | None = None
    """class that they are taken for"""
    step: int | None = None
    """evaluation to look at; None is the newest"""


@dataclass(frozen=True)
class Finding:
    """One thing that can be said about a run, with its evidence."""

    kind: str
    """`promise`, `collapse`, `confusion`, …: at most one finding of a kind, but for `missing`"""
    severity: Severity
    sentence: str
    evidence: str
    """the numbers behind the sentence"""
    threshold: str
    """what was compared with what, and why there; empty if nothing was"""
    door: Door
    headline: bool = True
    """whether it belongs in the one line that sums up a run"""

    @property
    def mark(self) -> str:
        """The severity as one character."""
        return MARKS[self.severity]


@dataclass(frozen=True)
class Verdict:
    """What can be said about a run, the most important first."""

    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity:
        """The worst of what the line says."""
        said = {finding.severity for finding in self.findings if finding.headline}
        return next((level for level in MARKS if level in said), "note")

    def line(self, width: int | None = None) -> str:
        """Return the verdict in one line of at most `width` cells; empty if nothing stands out.

        Whole sentences only, as many as fit. The first finding loses sentences or words at its
        end if it must.
        """
        said = [finding.sentence for finding in self.findings if finding.headline]
        if not said or width is None:
            return " ".join(said)
        line = said[0]
        if len(line) > width:
            whole, end, _ = line[: width + 1].rpartition(". ")
            if end:
                return f"{whole}."
            return f"{line[: max(width - 1, 0)].rpartition(' ')[0]}…"
        for sentence in said[1:]:
            if len(line) + 1 + len(sentence) <= width:
                line += f" {sentence}"
        return line

    def as_json(self) -> list[dict[str, Any]]:
        """Return the findings with JSON's types."""
        return [asdict(finding) for finding in self.findings]
