"""What `analyze --json` and `compare --json` print; docs/analysis-json.md is made of these classes.

The parts are those of engine.analysis as they are, so that no figure has two shapes.
"""

from __future__ import annotations

from engine.analysis import Comparison, Pool, RunAnalysis, ScalingPoint
from soar_tui.cli.documents import Document


class AnalysisDocument(Document, frozen=True):
    """One run or several, each in figures, and all together."""

    runs: list[RunAnalysis]
    """The runs that were named, each once."""
    pool: Pool | None
    """All of them voted together, of one run its iterations; None where there is nothing to pool."""
    scaling: tuple[ScalingPoint, ...]
    """The runs that have votes by the size of their models, smallest first, unknown sizes last."""


class ComparisonDocument(Document, frozen=True):
    """Runs beside each other, and all together."""

    comparison: Comparison
    """The runs side by side, on the tasks they share."""
    pool: Pool | None
    """All of them voted together; None where there is nothing to pool."""
