"""What `analyze --json` and `compare --json` print; docs/analysis.md describes every field.

The parts are those of engine.analysis as they are, so that no figure has two shapes.
"""

from __future__ import annotations

from engine.analysis import Comparison, Pool, RunAnalysis, ScalingPoint
from soar_tui.cli.documents import Document


class AnalysisDocument(Document, frozen=True):
    """What `analyze` prints; `pool` is null where fewer than two share a task of known truth."""

    runs: list[RunAnalysis]
    pool: Pool | None
    scaling: tuple[ScalingPoint, ...]


class ComparisonDocument(Document, frozen=True):
    """What `compare` prints."""

    comparison: Comparison
    pool: Pool | None
