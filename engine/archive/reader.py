"""Reading a run folder, while its engine writes or long after: typed rows, no SQL outside.

A reader never changes a file, never holds a transaction beyond one call, and sees each unit of the
engine's work whole or not at all. It may be shared between threads; calls take turns.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.arc import Task
from engine.archive import arms, bulk, candidates, journal, pages, summaries, tallies
from engine.archive.database import explain, open_to_read
from engine.archive.live import read_statuses
from engine.archive.packing import Decompressor, PackingError, unpack_text
from engine.archive.reading import Reading, TaskOutline, load_outlines, load_tasks
from engine.archive.rows import (
    ArmRow,
    CandidateDetail,
    CandidatePage,
    CandidateQuery,
    CandidateRow,
    Checkpoint,
    EventRow,
    Example,
    ExampleCount,
    IterationRow,
    MetricPoint,
    PullRow,
    Status,
    TallyRow,
    TaskRow,
    VoteResult,
)
from engine.archive.schema import ARCHIVE, ArchiveError
from engine.archive.tallies import SearchColumns, SearchRow
from engine.programs.candidate import Candidate, Pull

_REPLAYED = 16
"""Pulls read at once for replay: some hundred candidates at most, a few milliseconds."""


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
        self._sql.create_function("source_has", 2, self._source_has)
        self._tasks: tuple[Task, ...] = ()
        self._outlines: tuple[TaskOutline, ...] = ()
        self._iterations: tuple[int, list[IterationRow]] | None = None

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
    def created(self) -> float:
        """When the archive was made, Unix time."""
        with self._reading() as reading:
            row = reading.sql.execute("SELECT value FROM meta WHERE key = 'created'").fetchone()
        return float(row[0])

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
            if not self._tasks:
                self._tasks = load_tasks(reading.sql, reading.expand)
            return self._tasks

    def training_tasks(self) -> int:
        """Return how many of the run's first tasks are there to learn from (0: none)."""
        with self._reading() as reading:
            row = reading.sql.execute("SELECT value FROM meta WHERE key = 'training_tasks'")
            found = row.fetchone()
        return 0 if found is None else int(found[0])

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
        """Return the iterations begun so far, in order; read once per version of the archive."""
        with self._lock:
            version = self.data_version  # before they are read: they may be newer, never older
            if self._iterations is None or self._iterations[0] != version:
                with self._reading() as reading:
                    self._iterations = version, summaries.iteration_rows(reading)
            return list(self._iterations[1])

    def task_rows(self, iteration: int | None = None) -> list[TaskRow]:
        """Return how each task's search stands: an iteration's tasks, or all, merged (None)."""
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

    def submissions(self, iteration: int, task: int) -> list[tuple[bytes, ...]] | None:
        """Return a task's submissions as packed grids, best first; None while its search goes on."""
        with self._reading(task) as reading:
            return tallies.submissions(reading, iteration, task)

    # Candidates

    def pulls(self, iteration: int, task: int) -> list[tuple[Pull, list[Candidate]]]:
        """Return a search's pulls in number order with their candidates, exactly as recorded."""
        with self._reading(task) as reading:
            return candidates.pulls_of(reading, iteration, task, replies=True)

    def replay(self, iteration: int, task: int) -> Iterator[tuple[Pull, list[Candidate]]]:
        """Yield what `pulls` returns but for the replies, holding a few pulls at a time."""
        number = 0
        while True:
            with self._reading(task) as reading:
                page = candidates.pulls_of(
                    reading, iteration, task, on_from=number, limit=_REPLAYED, replies=False
                )
            yield from page
            if len(page) < _REPLAYED:
                return
            number = page[-1][0].number + 1

    def candidate(self, identifier: int) -> CandidateDetail:
        """Return one candidate whole. Raises ArchiveError when there is none of that id."""
        with self._reading() as reading:
            found = candidates.candidate_detail(reading, identifier)
        if found is None:
            raise ArchiveError(f"{self._path}: no candidate {identifier}")
        return found

    def bare_candidate(self, identifier: int) -> Candidate | None:
        """Return one candidate without the reply it came in, None when it is not there (yet)."""
        with self._reading() as reading:
            return candidates.bare_candidate(reading, identifier)

    def candidates(
        self,
        query: CandidateQuery | None = None,
        *,
        after: int | None = None,
        limit: int = 200,
        backwards: bool = False,
    ) -> CandidatePage:
        """Return a page of the candidates a query asks for, by id, on from (not with) `after`."""
        asked = CandidateQuery() if query is None else query
        with self._reading(asked.task) as reading:
            return pages.candidate_page(reading, asked, after, limit, backwards=backwards)

    def candidate_rows(self, iteration: int, task: int) -> list[CandidateRow]:
        """Return all candidates of one search as light rows, in id order."""
        with self._reading(task) as reading:
            return candidates.search_rows(reading, iteration, task)

    def chain(self, identifier: int) -> list[CandidateRow]:
        """Return a candidate's refinement chain, from its sampled ancestor down to itself."""
        with self._reading() as reading:
            return candidates.chain(reading, identifier)

    def children(self, identifier: int) -> list[CandidateRow]:
        """Return the candidates refined from one, in id order."""
        with self._reading() as reading:
            return candidates.children(reading, identifier)

    def arms(self, iteration: int, task: int, c: float = 20.0) -> list[ArmRow]:
        """Return a search's arms with their posteriors after the recorded pulls (SOAR §5)."""
        with self._reading(task) as reading:
            return arms.arm_rows(reading, iteration, task, c)

    # Much at once, for exports

    def programs(self, iteration: int, task: int) -> list[bulk.ProgramRow]:
        """Return the distinct programs of one search, in the order in which they first came."""
        with self._reading(task) as reading:
            return bulk.program_rows(reading, iteration, task)

    def table(
        self,
        name: str,
        columns: Sequence[str],
        keys: Sequence[str],
        after: tuple[Any, ...] | None = None,
        limit: int = 5000,
    ) -> list[tuple[Any, ...]]:
        """Return a page of a table or view of archive.db by its keys; blobs come expanded."""
        with self._reading() as reading:
            return bulk.table_page(reading, name, columns, keys, after=after, limit=limit)

    def count(self, name: str) -> int:
        """Return how many rows a table or view of archive.db has."""
        with self._reading() as reading:
            return bulk.row_count(reading, name)

    # Whole searches, to be counted

    def searches(self) -> list[SearchRow]:
        """Return every search begun so far, by iteration and task."""
        with self._reading() as reading:
            return tallies.search_rows(reading)

    def search_columns(self, iteration: int, task: int) -> SearchColumns:
        """Return the candidates of one search as columns."""
        with self._reading(task) as reading:
            return tallies.search_columns(reading, iteration, task)

    def program_sources(self, programs: Iterable[int]) -> list[str]:
        """Return the sources of programs by the archive's ids, in the order given."""
        with self._reading() as reading:
            return tallies.program_sources(reading, programs)

    # What happened, in order

    def pulls_after(self, pull: int, limit: int = 2000) -> list[PullRow]:
        """Return the pulls committed after the one of row id `pull`, in commit order."""
        with self._reading() as reading:
            return journal.pulls_after(reading, pull, limit)

    def last_pull(self) -> int:
        """Return the row id of the pull committed last (0: none), to tail on from."""
        with self._reading() as reading:
            return journal.last_pull(reading)

    def events(self, after: int = 0, limit: int = 1000, *, newest: bool = False) -> list[EventRow]:
        """Return events after an id, oldest first; `newest`: the last ones instead of the next."""
        with self._reading() as reading:
            return journal.events(reading, after, limit, newest=newest)

    def last_event(self, kinds: Iterable[str] | None = None) -> EventRow | None:
        """Return the last event, of some kinds if given, or None when there is none."""
        with self._reading() as reading:
            return journal.last_event(reading, None if kinds is None else tuple(kinds))

    def metric_names(self) -> list[str]:
        """Return the names of the curves there are."""
        with self._reading() as reading:
            return journal.metric_names(reading)

    def metrics(self, name: str, after: int = 0) -> list[MetricPoint]:
        """Return a curve's points after a point's id, in the order in which they were put.

        Points at or after a step from which the curve was begun anew are left out.
        """
        with self._reading() as reading:
            return journal.metric_points(reading, name, after)

    def checkpoints(self) -> list[Checkpoint]:
        """Return what each iteration's learning produced, oldest first."""
        with self._reading() as reading:
            return journal.checkpoints(reading)

    def examples(
        self, iteration: int, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Example]]:
        """Return a page of what an iteration weighed up for learning, each with its row id."""
        with self._reading() as reading:
            return journal.examples(reading, iteration, after, limit)

    def example_counts(self, iteration: int) -> list[ExampleCount]:
        """Return how many examples an iteration has per kind, label and reason of rejection."""
        with self._reading() as reading:
            return journal.example_counts(reading, iteration)

    def left_over_examples(self, iteration: int) -> bool:
        """Whether an iteration's learning was cut off and has left examples."""
        with self._reading() as reading:
            return journal.left_over(reading, iteration)

    # One call's snapshot

    @contextmanager
    def _reading(self, task: int | None = None) -> Iterator[Reading]:
        with self._lock:
            try:
                self._sql.execute("BEGIN")
                if not self._outlines:
                    self._outlines = load_outlines(self._sql)
                tasks = len(self._outlines)
                if task is not None and not 0 <= task < tasks:
                    raise ArchiveError(f"{self._path}: no task {task}, it has {tasks}")
                yield Reading(self._sql, self._expand, self._outlines)
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
            except PackingError as error:
                raise ArchiveError(f"{self._path}: {error}") from error
            finally:
                if self._sql.in_transaction:
                    self._sql.rollback()

    def _source_has(self, blob: bytes | None, text: str) -> bool:
        """Whether a stored source contains a text (of any letter case); SQL calls it per row."""
        return blob is not None and text in unpack_text(self._expand(blob)).casefold()

    def _dictionary(self, name: int) -> bytes:
        row = self._sql.execute("SELECT data FROM dictionary WHERE id = ?", (name,)).fetchone()
        if row is None:
            raise LookupError(f"no dictionary {name}")
        data: bytes = row[0]
        return data
