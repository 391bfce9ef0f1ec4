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
    Comparison,
    ComparisonError,
    Pool,
    PoolError,
    ReadRun,
    RunRecords,
    compare_runs,
    members_of,
    pool,
    read_records,
    run_analysis,
    scaling,
)
from engine.archive import ArchiveError
from engine.archive.reader import RunReader
from engine.config import ConfigError, load_settings
from engine.control import SETTINGS_NAME
from soar_tui.analysis_exchange import Analysed, Asked
from soar_tui.cli.analysis_documents import AnalysisDocument, ComparisonDocument
from soar_tui.cli.documents import Document
from soar_tui.figures.comparison import comparison_figures, model_sizes, pooled
from soar_tui.figures.figure import Figure
from soar_tui.figures.run import run_figures

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
        runs = [self._open(folder, stack) for folder in folders]
        own = run_figures(runs[0].analysis, self._asked.iteration)
        comparison, trouble = _compared(runs) if len(runs) > 1 else (None, None)
        points = scaling([(one.analysis, one.settings) for one in runs])
        more = [*comparison_figures(comparison)] if comparison is not None else []
        more += [model_sizes(points)] if len(runs) > 1 else []
        self._so_far = (*more, *own)
        together = None
        if trouble is None and all(one.through for one in runs):
            together, trouble = self._pool(runs)
        if together is not None:
            self._so_far = (*more, *own, pooled(together))
        document: Document = AnalysisDocument(
            runs=[one.analysis for one in runs], pool=together, scaling=points
        )
        if comparison is not None:
            document = ComparisonDocument(comparison=comparison, pool=together)
        self._end(trouble=trouble, document=msgspec.json.encode(document).decode() + "\n")

    def _open(self, path: str, stack: ExitStack) -> ReadRun:
        folder = Path(path)
        settings = load_settings(folder / SETTINGS_NAME)
        reader = stack.enter_context(RunReader(folder))
        records = self._kept.records.setdefault(path, RunRecords())
        mine = path == self._asked.folder
        # A comparison comes first in the list, so nothing is listed before it is there.
        alone = not self._asked.beside
        for done, total in read_records(reader, settings, records):
            self._stop_if_left()
            if self._may_show():
                if alone:
                    analysis = run_analysis(folder.name, reader, settings, records)
                    self._so_far = run_figures(analysis, self._asked.iteration)
                self._show(f"reading {folder.name}", done, total)
        analysis = run_analysis(folder.name, reader, settings, records)
        return ReadRun(
            folder.name,
            settings,
            reader,
            records,
            analysis,
            self._asked.iteration if mine else None,
        )

    def _pool(self, runs: Sequence[ReadRun]) -> tuple[Pool | None, str | None]:
        # A run alone is pooled over all its iterations, whichever of them is looked at.
        stand = [replace(runs[0], iteration=None)] if len(runs) == 1 else runs
        members, together = members_of(stand), None
        if len(members) < 2:
            return None, None
        try:
            for done, total, found in pool(members, runs[0].settings.vote):
                self._stop_if_left()
                if self._may_show():
                    self._show("voting together", done, total)
                together = found
        except PoolError as error:
            return None, str(error)
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

    def _end(self, *, trouble: str | None = None, document: str | None = None) -> None:
        self._publish(
            Analysed(
                self._asked, self._so_far, "", 0, 0, over=True, trouble=trouble, document=document
            )
        )


def _compared(runs: Sequence[ReadRun]) -> tuple[Comparison | None, str | None]:
    """Return runs side by side, or why they cannot be."""
    try:
        return compare_runs(runs), None
    except ComparisonError as error:
        return None, str(error)


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
    sys.stdout.buffer.write(msgspec.json.encode(analysed) + b"\n")
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
