"""Reading a run folder, while its engine writes or long after: typed rows, no SQL outside.

A reader never changes a file, never holds a transaction beyond one call, and sees each unit of the
engine's work whole or not at all. It may be shared between threads; calls take turns.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.arc import Task
from engine.archive import candidates, journal, summaries
from engine.archive.database import explain, open_to_read
from engine.archive.live import read_statuses
from engine.archive.packing import Decompressor, PackingError
from engine.archive.reading import Reading, load_tasks
from engine.archive.rows import EventRow, IterationRow, Status, TallyRow, TaskRow, VoteResult
from engine.archive.schema import ARCHIVE, ArchiveError
from engine.programs.candidate import Candidate, Pull


class RunReader:
    """Reads one run folder; a context manager.

    Every call raises ArchiveError when the archive cannot be read: no run there, a newer or older
    version, a damaged file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / ARCHIVE.file
        self._lock = threading.RLock()
        self._sql = open_to_read(folder, ARCHIVE)
        self._expand = Decompressor(self._dictionary)
        self._tasks: tuple[Task, ...] = ()

    def close(self) -> None:
        """Let go of the files. Safe to call twice."""
        with self._lock:
            self._sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # The run

    @property
    def settings_text(self) -> str:
        """The run's settings as its run.toml holds them."""
        path = self._folder / "run.toml"
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ArchiveError(f"{path}: {error}") from error

    @property
    def data_version(self) -> int:
        """A number that changes when the archive has (cheap enough to poll)."""
        try:
            with self._lock:
                version: int = self._sql.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        return version

    def statuses(self) -> dict[str, Status]:
        """Return how things stand now, by key (live.db)."""
        try:
            return read_statuses(self._folder)
        except sqlite3.Error as error:
            raise explain(error, self._folder / "live.db") from error

    def tasks(self) -> tuple[Task, ...]:
        """Return the run's tasks; a task's index is its position."""
        with self._reading() as reading:
            return reading.tasks

    def task(self, name: int | str) -> Task:
        """Return one task by index or id. Raises ArchiveError when there is none."""
        return self.tasks()[self.task_index(name)]

    def task_index(self, name: int | str) -> int:
        """Return a task's index by id (or the index itself). Raises ArchiveError for neither."""
        tasks = self.tasks()
        for index, task in enumerate(tasks):
            if name in (index, task.id):
                return index
        raise ArchiveError(f"{self._path}: no task {name!r} among its {len(tasks)}")

    # How it stands

    def iterations(self) -> list[IterationRow]:
        """Return the iterations begun so far, in order."""
        with self._reading() as reading:
            return summaries.iteration_rows(reading)

    def task_rows(self, iteration: int | None = None) -> list[TaskRow]:
        """Return how each task's search stands, in one iteration or merged over all (None)."""
        with self._reading() as reading:
            return summaries.task_rows(reading, iteration)

    def finished(self, iteration: int) -> set[int]:
        """Return the indexes of the tasks whose search in an iteration is over."""
        with self._reading() as reading:
            return summaries.finished_tasks(reading, iteration)

    def tallies(self, iterations: int | Iterable[int], task: int) -> list[TallyRow]:
        """Return what stands behind each pattern of a task, over one or more iterations."""
        several = (iterations,) if isinstance(iterations, int) else iterations
        with self._reading(task) as reading:
            return summaries.tally_rows(reading, several, task)

    def votes(self, iteration: int, task: int) -> VoteResult | None:
        """Return a task's vote, or None while its search goes on."""
        with self._reading(task) as reading:
            return summaries.vote_result(reading, iteration, task)

    # Candidates

    def pulls(self, iteration: int, task: int) -> list[tuple[Pull, list[Candidate]]]:
        """Return a search's pulls in number order with their candidates, exactly as recorded."""
        with self._reading(task) as reading:
            return candidates.pulls_of(reading, iteration, task)

    # What happened

    def events(self, after: int = 0, limit: int = 1000, *, newest: bool = False) -> list[EventRow]:
        """Return events after an id, oldest first; `newest`: the last ones instead of the next."""
        with self._reading() as reading:
            return journal.events(reading, after, limit, newest=newest)

    def last_event(self, kinds: Iterable[str] | None = None) -> EventRow | None:
        """Return the last event, of some kinds if given, or None when there is none."""
        with self._reading() as reading:
            return journal.last_event(reading, None if kinds is None else tuple(kinds))

    # One call's snapshot

    @contextmanager
    def _reading(self, task: int | None = None) -> Iterator[Reading]:
        with self._lock:
            try:
                self._sql.execute("BEGIN")
                if not self._tasks:
                    self._tasks = load_tasks(self._sql, self._expand)
                if task is not None and not 0 <= task < len(self._tasks):
                    raise ArchiveError(f"{self._path}: no task {task}, it has {len(self._tasks)}")
                yield Reading(self._sql, self._expand, self._tasks)
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
            except PackingError as error:
                raise ArchiveError(f"{self._path}: {error}") from error
            finally:
                if self._sql.in_transaction:
                    self._sql.rollback()

    def _dictionary(self, name: int) -> bytes:
        row = self._sql.execute("SELECT data FROM dictionary WHERE id = ?", (name,)).fetchone()
        if row is None:
            raise LookupError(f"no dictionary {name}")
        data: bytes = row[0]
        return data
