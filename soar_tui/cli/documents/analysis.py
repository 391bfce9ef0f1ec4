"""What `analyze --json` and `compare --json` print; docs/analysis-json.md is made of these classes.

The parts are those of engine.analysis as they are, so that no figure has two shapes.
"""

from __future__ import annotations

from engine.analysis import Comparison, Pool, RunAnalysis, ScalingPoint, SettingChange
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
    """Runs beside each other, and all together, where their results can be compared."""

    comparison: Comparison
    """The runs side by side, on the tasks they share."""
    pool: Pool | None
    """All of them voted together; None where there is nothing to pool."""


class SettingsComparisonDocument(Document, frozen=True):
    """Settings beside each other, where results cannot be compared, as with a settings file."""

    sides: list[str]
    """What was compared, in the order it was named: files by the path given, runs by name."""
    settings: tuple[SettingChange, ...]
    """The settings in which they differ; what a file leaves out has its default."""
    why: str
    """Why only settings are compared, in a sentence or two."""
