"""The run's only writer: takes units of work from the engine and commits them in batches.

`put_…` never touches the disk: it checks a unit, queues it and returns. One thread writes what is
queued every 30 ms, all units of a batch in one transaction. A commit survives kill -9 of the
process; a unit is in the archive whole or not at all. What cannot be written (full disk, a
candidate recorded twice) stops the writer: the next call raises ArchiveError.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from engine.arc import Task
from engine.archive.committer import Committer
from engine.archive.database import LOG_BYTES, explain, merge_log, open_to_write
from engine.archive.live import encode_status, open_live, write_statuses
from engine.archive.recording import Recorder
from engine.archive.rows import Checkpoint, Example
from engine.archive.schema import ARCHIVE, LIVE, ArchiveError
from engine.archive.units import (
    StoredTask,
    check_pull,
    check_same_tasks,
    split_pattern,
    stored_task,
)
from engine.programs.candidate import Candidate, Pull

_MERGE_AGAIN_SECONDS = 10.0
_HURRY_UNITS = 100  # in one batch: more than 3 000 units a second

_Unit = Callable[[Recorder], None]


class ArchiveWriter:
    """Writes archive.db and live.db of one run folder. Use it from one event loop's thread.

    Raises ArchiveError when the folder cannot be written or holds an archive of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ARCHIVE.file
        with contextlib.ExitStack() as opened:
            self._archive = open_to_write(folder, ARCHIVE)
            opened.callback(self._archive.close)
            self._live = open_live(folder)
            opened.callback(self._live.close)
            try:
                self._recorder = Recorder(self._archive)
            except sqlite3.Error as error:
                raise explain(error, self._path) from error
            opened.pop_all()
        self._tasks: tuple[StoredTask, ...] = self._recorder.tasks
        self._iterations = dict(self._recorder.iterations)
        self._merge_due = False
        self._merge_from = 0.0
        self._committer = Committer(str(self._path), self._commit)

    # What the engine puts

    def put_tasks(self, tasks: Sequence[Task], training: int = 0) -> None:
        """Store the run's tasks, the first `training` of which are to learn from.

        A task's index is its position here.

        Does nothing when the folder holds these very tasks. Raises ArchiveError when it holds
        others.
        """
        stored = tuple(stored_task(task) for task in tasks)
        if self._tasks:
            check_same_tasks(self._tasks, stored, self._path)
            return
        self._tasks = stored
        self._committer.put(lambda recorder: recorder.add_tasks(stored, training), len(stored))

    def begin_iteration(
        self, index: int, phase: str, policy: str, checkpoint: str, tasks: range | None = None
    ) -> None:
        """Note that an iteration ('train' or 'test') begins; does nothing when it has before.

        `tasks` are the indexes of the tasks it searches (default: all of the run's). Raises
        ArchiveError for another phase, or when it was begun in a different one.
        """
        if phase not in ("train", "test"):
            raise ArchiveError(f"iteration {index}: phase {phase!r} is neither 'train' nor 'test'")
        begun = self._iterations.setdefault(index, phase)
        if begun != phase:
            raise ArchiveError(f"iteration {index} was begun in phase {begun!r}, not {phase!r}")
        unit = partial(
            Recorder.begin_iteration,
            index=index,
            phase=phase,
            policy=policy,
            checkpoint=checkpoint,
            tasks=range(len(self._tasks)) if tasks is None else tasks,
            now=time.time(),
        )
        self._committer.put(unit, 1)

    def end_iteration(self, index: int, seconds: float) -> None:
        """Note that an iteration is over and how long it took."""
        self._committer.put(
            partial(Recorder.end_iteration, index=index, seconds=seconds, now=time.time()), 1
        )
        self._end_phase()

    def put_pull(self, pull: Pull, candidates: Sequence[Candidate]) -> None:
        """Record a pull and its candidates, which become visible together or not at all.

        Raises ArchiveError when they contradict each other, the task or what has begun; recording
        a candidate twice stops the writer.
        """
        check_pull(pull, candidates, self._task(pull.task))
        self._check_begun(pull.iteration)
        unit = partial(Recorder.add_pull, pull=pull, candidates=tuple(candidates), now=time.time())
        self._committer.put(unit, 1 + len(candidates))

    def put_vote(
        self,
        iteration: int,
        task: int,
        formula: str,
        ranked: Sequence[tuple[bytes, float, int]],
        seconds: float,
    ) -> None:
        """Record a task's vote and mark its search as finished.

        `ranked` holds (pattern, weight, count), heaviest first, a pattern being the packed outputs
        for all test inputs joined (Evaluation.pattern); it may be empty. Raises ArchiveError when
        a pattern does not fit the task.
        """
        tests = self._task(task).tests
        self._check_begun(iteration)
        rows = [(split_pattern(pattern, tests), weight, count) for pattern, weight, count in ranked]
        unit = partial(
            Recorder.add_vote,
            iteration=iteration,
            task=task,
            formula=formula,
            ranked=rows,
            seconds=seconds,
            now=time.time(),
        )
        self._committer.put(unit, 1 + len(rows))

    def put_event(self, level: str, kind: str, text: str) -> None:
        """Add a line to the run's journal."""
        self._committer.put(
            partial(Recorder.add_event, level=level, kind=kind, text=text, now=time.time()), 1
        )

    def put_metric(self, name: str, step: int, value: float) -> None:
        """Add a point to a curve."""
        self._committer.put(partial(Recorder.add_metric, name=name, step=step, value=value), 1)

    def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Record what an iteration's learning produced."""
        self._check_begun(checkpoint.iteration)
        self._committer.put(partial(Recorder.add_checkpoint, checkpoint=checkpoint), 1)
        self._end_phase()

    def put_examples(self, examples: Sequence[Example]) -> None:
        """Record some of what was weighed up for learning; it counts once there is a checkpoint."""
        for example in examples:
            self._check_begun(example.iteration)
        self._committer.put(
            partial(Recorder.add_examples, examples=tuple(examples)), 1 + len(examples)
        )

    def drop_examples(self, iteration: int, most: int) -> None:
        """Delete at most so many examples that an iteration's learning, cut off, has left."""
        self._committer.put(partial(Recorder.drop_examples, iteration=iteration, most=most), most)

    def put_status(self, key: str, value: object) -> None:
        """Overwrite a status in live.db; of several values before a commit the last one wins.

        Raises TypeError for a value that JSON cannot hold.
        """
        self._committer.put_status(key, encode_status(value))

    # What the engine awaits

    async def flush(self) -> None:
        """Return once everything put so far is committed. Raises ArchiveError if it cannot be."""
        await self._committer.flush()

    async def ready(self) -> None:
        """Return once the queue has room (back-pressure). Raises ArchiveError like flush."""
        await self._committer.ready()

    async def close(self) -> None:
        """Commit what is queued and let go of the files. Safe to call twice.

        Raises ArchiveError when something queued could not be written.
        """
        try:
            await self._committer.close()
        finally:
            self._archive.close()
            self._live.close()

    def _task(self, index: int) -> StoredTask:
        if not 0 <= index < len(self._tasks):
            raise ArchiveError(f"no task {index}: the run has {len(self._tasks)}")
        return self._tasks[index]

    def _check_begun(self, iteration: int) -> None:
        if iteration not in self._iterations:
            raise ArchiveError(f"iteration {iteration} has not begun")

    def _end_phase(self) -> None:
        """Have the log merged once all that was put so far is committed."""

        def ended(_: Recorder) -> None:
            self._merge_due = True

        self._committer.put(ended, 0)

    def _commit(self, units: Sequence[_Unit], statuses: dict[str, str]) -> None:
        """Write a batch, in the committer's thread: all units or none, then the statuses."""
        path = self._path
        try:
            if units:
                self._archive.execute("BEGIN IMMEDIATE")
                try:
                    self._recorder.hurried = len(units) > _HURRY_UNITS
                    for unit in units:
                        unit(self._recorder)
                    self._archive.execute("COMMIT")
                except BaseException:
                    self._archive.rollback()
                    raise
                self._bound_log()
            if statuses:
                path = path.with_name(LIVE.file)
                write_statuses(self._live, statuses, time.time())
        except sqlite3.Error as error:
            raise explain(error, path) from error

    def _bound_log(self) -> None:
        """Merge the write-ahead log where a phase has ended, or where readers let it grow.

        SQLite merges as it goes, but begins the log anew only in a moment without readers, which
        with many of them may never come by itself.
        """
        now = time.monotonic()
        if now < self._merge_from or not (self._merge_due or self._log_bytes() > LOG_BYTES):
            return
        if merge_log(self._archive):
            self._merge_due = False
        else:
            self._merge_from = now + _MERGE_AGAIN_SECONDS

    def _log_bytes(self) -> int:
        return self._path.with_name(self._path.name + "-wal").stat().st_size
