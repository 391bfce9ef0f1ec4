"""What the list of runs shows of each: how it stands, read anew only where its files changed."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import IterationRow
from engine.config import ConfigError, load_settings
from engine.control import (
    SETTINGS_NAME,
    MissingFileError,
    RunState,
    engine_alive,
    may_be_run,
    run_folders,
    run_state,
)

SPARK: Final = 10
"""Steps of the line that shows how many tasks the latest iteration had solved by when."""
_WATCHED: Final = ("archive.db", "archive.db-wal", "live.db", "live.db-wal", SETTINGS_NAME)


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as the list shows it; `trouble` says why nothing is known of it."""

    folder: Path
    state: RunState | None
    trouble: str | None
    policy: str
    tasks: str
    row: IterationRow | None
    iterations: int
    candidates: int
    solved_over_time: tuple[int, ...]
    started: float | None
    bytes: int


@dataclass(slots=True)
class Known:
    """What is known of each run, by the state of its files, so that only news is read."""

    lines: dict[Path, tuple[object, RunLine]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunsQuestion:
    """All runs under the folder of runs, and those opened from elsewhere."""

    elsewhere: tuple[Path, ...]
    known: Known = field(compare=False)

    def answer_without_run(self) -> tuple[RunLine, ...]:
        """Read how every run stands, the newest first."""
        folders = dict.fromkeys(f.absolute() for f in (*run_folders(), *self.elsewhere))
        lines = [self._line(folder) for folder in folders if may_be_run(folder)]
        return tuple(sorted(lines, key=lambda line: -(line.started or math.inf)))

    def _line(self, folder: Path) -> RunLine:
        alive = engine_alive(folder)
        # A live engine that falls silent changes no file, yet its state changes.
        files = None if alive else tuple(_stamp(folder / name) for name in _WATCHED)
        held = self.known.lines.get(folder)
        if held is not None and files is not None and held[0] == files:
            return held[1]
        line = read_line(folder)
        self.known.lines[folder] = (files, line)
        return line


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return status.st_mtime_ns, status.st_size


def read_line(folder: Path) -> RunLine:
    """Read how one run stands; what keeps it from being read is told in its line."""
    disk = _disk(folder)
    try:
        settings = load_settings(folder / SETTINGS_NAME)
    except ConfigError as error:
        return RunLine(folder, None, str(error), "", "", None, 0, 0, (), None, disk)
    about = (settings.policy.kind, settings.tasks)
    planned = settings.planned_iterations
    try:
        with RunReader(folder) as reader:
            rows = reader.iterations()
            state = run_state(folder, reader, planned)
            tasks = reader.task_rows(rows[-1].index) if rows else []
            solved = [task.active for task in tasks if task.vote_right and task.active]
    except (ArchiveError, OSError) as error:
        # Until an engine has run there is no archive, which is no fault.
        fresh = isinstance(error, MissingFileError)
        known = RunState("new", None) if fresh else None
        trouble = None if fresh else str(error)
        return RunLine(folder, known, trouble, *about, None, planned, 0, (), None, disk)
    return RunLine(
        folder=folder,
        state=RunState(state.state, None, state.reason),
        trouble=None,
        policy=about[0],
        tasks=about[1],
        row=rows[-1] if rows else None,
        iterations=planned,
        candidates=sum(row.candidates for row in rows),
        solved_over_time=over_time(solved, rows[-1].started) if rows else (),
        started=rows[0].started if rows else None,
        bytes=disk,
    )


def _disk(folder: Path) -> int:
    """Return the bytes of a run's files, as far as they can be looked at."""
    held = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            held += _stamp(Path(parent, name))[1]
    return held


def over_time(moments: Sequence[float], start: float) -> tuple[int, ...]:
    """Return how many of the moments had passed at each of SPARK steps from `start` to the last."""
    if not moments:
        return ()
    step = max(1e-9, (max(moments) - start) / SPARK)
    return tuple(sum(m <= start + step * (k + 1) + 1e-9 for m in moments) for k in range(SPARK))
