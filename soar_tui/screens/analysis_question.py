"""What Analysis asks the feed: how far a run has come, and what lies beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import IterationRow
from engine.config import ConfigError, load_settings
from engine.control import MissingFileError
from soar_tui.open_run import OpenRun


@dataclass(frozen=True, slots=True)
class AnalysisBody:
    """How far the run has come, and what lies beside it: what makes the figures change."""

    folder: str
    beside: tuple[str, ...]
    files: tuple[str, ...]
    iteration: int | None
    iterations: int
    version: tuple[int, ...]
    trouble: str | None


@dataclass(frozen=True, slots=True)
class AnalysisQuestion:
    """The run alone, and an iteration."""

    iteration: int | None

    def answer(self, run: OpenRun) -> AnalysisBody | None:
        """Read it; None before the first iteration."""
        rows = run.iterations()
        if not rows:
            return None
        return AnalysisBody(
            str(run.folder), (), (), self.iteration, len(rows), _version(rows), None
        )


@dataclass(frozen=True, slots=True)
class ComparisonQuestion:
    """A run and an iteration of it, the folders of other runs, and the paths of settings files.

    It asks of no open run, for one in which no engine has run yet has settings to compare, too.
    """

    folder: str
    beside: tuple[str, ...]
    files: tuple[str, ...]
    iteration: int | None

    def answer_without_run(self) -> AnalysisBody:
        """Read it; what cannot be read is left out and told of. Raises ArchiveError for the run."""
        rows = _iterations(self.folder)
        version = _version(rows)
        beside, files, troubles = [], [], []
        for folder in self.beside:
            try:
                version += _version(_iterations(folder))
            except ArchiveError as error:
                troubles.append(str(error))
            else:
                beside.append(folder)
        for file in self.files:
            try:
                load_settings(Path(file))
                version += (Path(file).stat().st_mtime_ns,)
            except (ConfigError, OSError) as error:
                troubles.append(str(error))
            else:
                files.append(file)
        return AnalysisBody(
            self.folder,
            tuple(beside),
            tuple(files),
            self.iteration,
            len(rows),
            version,
            " ".join(troubles) or None,
        )


def _iterations(folder: str) -> list[IterationRow]:
    """Return the iterations begun so far, none where no engine has run yet."""
    try:
        with RunReader(Path(folder)) as reader:
            return reader.iterations()
    except MissingFileError:
        return []


def _version(rows: list[IterationRow]) -> tuple[int, ...]:
    return (len(rows), *(row.finished for row in rows))
