"""The process that reads runs for the app's Analysis place: questions in, figures out.

It is a process of its own so that reading never makes the app wait. Both ways a line is one JSON
value: `Asked` (or null: stop) on stdin, `Analysed` on stdout as the answer grows. A new question
takes the place of the one before, at most one search later; the end of stdin ends the process.
What was read is kept: a search that was voted on never changes, so each is read once.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from engine.analysis import (
    ComparisonError,
    NamedSettings,
    Pool,
    PoolError,
    ReadRun,
    RunRecords,
    compare_runs,
    file_names,
    members_of,
    pool,
    read_records,
    read_settings_files,
    run_analysis,
    scaling,
    setting_changes,
    unvoted,
)
from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.config import ConfigError, Settings, load_settings
from engine.control import SETTINGS_NAME, MissingFileError
from engine.figures.comparison import (
    SETTINGS_ONLY,
    changed_settings,
    comparison_figures,
    model_sizes,
    pooled,
    results_missing,
)
from engine.figures.figure import Figure
from engine.figures.run import run_figures
from soar_tui.analysis_exchange import Analysed, Asked
from soar_tui.cli.documents import Document, encoded
from soar_tui.cli.documents.analysis import (
    AnalysisDocument,
    ComparisonDocument,
    SettingsComparisonDocument,
)

_SECONDS: Final = 0.5
_SHARE: Final = 4
"""Figures so far are told every half second at most, and take a quarter of the time at most."""
_NICE: Final = 5
_STDIN: Final = 0


class Stopped(Exception):  # noqa: N818 - no error: whoever asked has left
    """Nobody wants to know any more."""


@dataclass(slots=True)
class Kept:
    """What was read of runs, by folder."""

    records: dict[str, RunRecords] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A run folder that is read from, and what tables call it.

    `reader` is None where no engine has run yet.
    """

    folder: Path
    name: str
    settings: Settings
    reader: RunReader | None


class Reading:
    """One answer in the making; `publish` is called with it as it grows.

    It ends as soon as `cancelled` says so, at most one search later.
    """

    def __init__(
        self,
        asked: Asked,
        kept: Kept,
        publish: Callable[[Analysed], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._asked, self._kept = asked, kept
        self._publish, self._cancelled = publish, cancelled
        self._so_far: tuple[Figure, ...] = ()
        self._laid: tuple[Figure, ...] = ()
        self._document: Document | None = None
        self._shown = time.monotonic() - _SECONDS
        self._began = self._cost = 0.0

    def run(self) -> None:
        """Read everything and publish it; what cannot be read is published as trouble."""
        try:
            with ExitStack() as stack:
                self._read(stack)
        except Stopped:
            return
        except (ArchiveError, ConfigError, OSError) as error:
            self._end(trouble=str(error))

    def _read(self, stack: ExitStack) -> None:
        folders = dict.fromkeys((self._asked.folder, *self._asked.beside))
        names = file_names([Path(path) for path in folders])
        opened = [_open(path, name, stack) for path, name in zip(folders, names, strict=True)]
        why = _settings_only(self._asked, opened)
        if why is None and len(opened) > 1:
            why = self._compare([self._read_run(one, listed=False) for one in opened])
            if why is None:
                return
        if why is not None:
            self._lay_settings(opened, why)
        self._tell(opened[0])

    def _compare(self, runs: Sequence[ReadRun]) -> str | None:
        """Publish runs side by side, or return why their results cannot be."""
        try:
            found = compare_runs(runs)
        except ComparisonError as error:
            return results_missing(str(error))
        points = scaling(runs)
        own = run_figures(runs[0].analysis, self._asked.iteration)
        self._so_far = (*comparison_figures(found), model_sizes(points), *own)
        together, trouble = self._pool(runs)
        self._end(ComparisonDocument(comparison=found, pool=together), trouble=trouble)
        return None

    def _lay_settings(self, opened: Sequence[Opened], why: str) -> None:
        """Put what changed in the settings ahead of everything else."""
        files = read_settings_files(list(map(Path, self._asked.files)))
        sides = [*(NamedSettings(one.name, one.settings) for one in opened), *files]
        changes = setting_changes([side.settings for side in sides])
        self._laid = self._so_far = (changed_settings([side.name for side in sides], changes, why),)
        names = [*(one.name for one in opened), *self._asked.files]
        self._document = SettingsComparisonDocument(why=why, sides=names, settings=changes)

    def _tell(self, one: Opened) -> None:
        """Publish the figures of the run that is looked at, after what is laid beside it."""
        if one.reader is None:
            self._end(self._document)
            return
        run = self._read_run(one, listed=True)
        self._so_far = (*self._laid, *run_figures(run.analysis, self._asked.iteration))
        together, trouble = self._pool([run])
        points = scaling([run])
        alone = AnalysisDocument(runs=[run.analysis], pool=together, scaling=points)
        self._end(self._document or alone, trouble=trouble)

    def _read_run(self, one: Opened, *, listed: bool) -> ReadRun:
        """Read a run; `listed`: its figures are published as they grow."""
        assert one.reader is not None
        path, name = str(one.folder), one.name
        records = self._kept.records.setdefault(path, RunRecords())
        for done, total in read_records(one.reader, one.settings, records):
            self._stop_if_left()
            if self._may_show():
                if listed:
                    analysis = run_analysis(name, one.reader, one.settings, records)
                    own = run_figures(analysis, self._asked.iteration)
                    self._so_far = (*self._laid, *own)
                self._show(f"reading {name}", done, total)
        analysis = run_analysis(name, one.reader, one.settings, records)
        iteration = self._asked.iteration if path == self._asked.folder else None
        return ReadRun(name, one.settings, one.reader, records, analysis, iteration)

    def _pool(self, runs: Sequence[ReadRun]) -> tuple[Pool | None, str | None]:
        """Add the vote over all of them to the figures; return it, or why there is none."""
        # A run alone is pooled over all its iterations, whichever of them is looked at.
        stand = [replace(runs[0], iteration=None)] if len(runs) == 1 else runs
        members, together = members_of(stand), None
        if len(members) < 2 or not all(one.through for one in runs):
            return None, None
        try:
            for done, total, found in pool(members, runs[0].settings.vote):
                self._stop_if_left()
                if self._may_show():
                    self._show("voting together", done, total)
                together = found
        except PoolError as error:
            return None, str(error)
        if together is not None:
            self._so_far = (*self._so_far, pooled(together))
        return together, None

    def _stop_if_left(self) -> None:
        if self._cancelled():
            raise Stopped

    def _may_show(self) -> bool:
        self._began = time.monotonic()
        return self._began - self._shown >= max(_SECONDS, _SHARE * self._cost)

    def _show(self, step: str, done: int, total: int) -> None:
        self._publish(Analysed(self._asked, self._so_far, step, done, total, over=False))
        self._shown = time.monotonic()
        self._cost = self._shown - self._began

    def _end(self, document: Document | None = None, *, trouble: str | None = None) -> None:
        text = None if document is None else encoded(document).decode()
        self._publish(
            Analysed(self._asked, self._so_far, "", 0, 0, over=True, trouble=trouble, document=text)
        )


def _open(path: str, name: str, stack: ExitStack) -> Opened:
    folder = Path(path)
    settings = load_settings(folder / SETTINGS_NAME)
    try:
        return Opened(folder, name, settings, stack.enter_context(RunReader(folder)))
    except MissingFileError:
        return Opened(folder, name, settings, None)


def _settings_only(asked: Asked, opened: Sequence[Opened]) -> str | None:
    """Return why nothing but settings can be compared, as far as that is known unread."""
    if asked.files:
        return SETTINGS_ONLY
    fresh = [one.name for one in opened if one.reader is None]
    return results_missing(unvoted(fresh)) if fresh and len(opened) > 1 else None


def serve() -> None:
    """Answer questions from stdin until it ends."""
    os.nice(_NICE)
    kept = Kept()
    decoder = msgspec.json.Decoder(Asked | None)
    with open(_STDIN, "rb", buffering=0, closefd=False) as questions:
        while line := questions.readline():
            asked = decoder.decode(line)
            if asked is not None:
                Reading(asked, kept, _publish, _asked_again).run()


def _publish(analysed: Analysed) -> None:
    sys.stdout.buffer.write(encoded(analysed))
    sys.stdout.buffer.flush()


def _asked_again() -> bool:
    """Whether another question, or the end, waits on stdin."""
    ready, _, _ = select.select([_STDIN], [], [], 0)
    return bool(ready)


if __name__ == "__main__":
    try:
        serve()
    except (BrokenPipeError, KeyboardInterrupt):
        # Whoever asked has left, and nothing is lost.
        os._exit(0)
