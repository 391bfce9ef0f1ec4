"""Taking programs in as a run: every one run again in the sandbox, judged, voted on, archived.

The archive alone says how far an intake has come. A task's programs are archived in the order of
their rows, so one that was cut off goes on by reading the file again and passing over, for each
task, as many as the archive has. The folder becomes a run when its settings are saved, at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, save_settings
from engine.control.evaluating import MAX_INPUTS, GivenProgram, evaluate_programs
from engine.control.folder import SETTINGS_NAME
from engine.control.lock import EngineLock
from engine.intake.rows import FileSeen, GivenRow, IntakeError, read_rows
from engine.programs.candidate import Candidate, Evaluation, Pull, candidate_id
from engine.programs.source import LONGEST, mentions_entry
from engine.search.invariants import invariants_of
from engine.search.vote import rank, tally_of

PULL = 50
"""Programs of a task archived together: what a kill can cost of each."""
_EVENT = "import"
_STATUS = "import"
"""Says how many seconds it has taken so far."""
_LAST_NUMBER = (1 << 24) - 1


@dataclass(slots=True)
class Intake:
    """How an intake stands: rows read, programs run now and archived before, rows refused.

    `faults` counts refused rows by reason and `first` has the number of the first of each;
    `claims` counts rows that say what they got right on the demonstrations, `denied` those of
    them that running them again did not bear out.
    """

    rows: int = 0
    run: int = 0
    before: int = 0
    claims: int = 0
    denied: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)

    def refuse(self, row: GivenRow, fault: str) -> None:
        """Count a row that is not taken in."""
        self.faults[fault] += 1
        self.first.setdefault(fault, row.number)


async def take_in(
    folder: Path,
    programs: Path,
    settings: Settings,
    tasks: Sequence[Task],
    training: int,
    *,
    per_task: int | None = None,
    seen: FileSeen,
    on_progress: Callable[[Intake], None],
) -> Intake:
    """Take a file of programs into a reserved folder and make it a run; return what came of it.

    `tasks` are the run's, the first `training` of them those to learn from; `per_task` bounds the
    programs of one. Cancelled or killed, it is gone on with by calling it again. Raises IntakeError,
    ArchiveError, SandboxError, EngineRunningError.
    """
    with EngineLock(folder):
        writer = ArchiveWriter(folder)
        try:
            writer.put_tasks(tasks, training)
            phase = "train" if training == len(tasks) else "test"
            writer.begin_iteration(
                0, phase, f"import {programs.name}", "imported", range(len(tasks))
            )
            await writer.flush()
            with RunReader(folder) as reader:
                _check_file(reader, writer, programs, seen)
                taking = _Taking(reader, writer, tasks, per_task, on_progress)
                try:
                    await evaluate_programs(
                        taking.given(programs), len(tasks), settings.sandbox, taking.deliver
                    )
                finally:
                    taking.put_rest()
                    await writer.flush()
                _vote(reader, writer, settings)
            writer.end_iteration(0, taking.seconds)
            writer.put_event("info", "finished", f"took in {taking.intake.run} programs")
        finally:
            await writer.close()
        save_settings(settings, folder / SETTINGS_NAME)
    return taking.intake


def _check_file(reader: RunReader, writer: ArchiveWriter, programs: Path, seen: FileSeen) -> None:
    """Note which file is taken in. Raises IntakeError when the folder was begun from another."""
    noted = reader.last_event(kinds=(_EVENT,))
    if noted is None:
        writer.put_event("info", _EVENT, f"{seen.digest} {programs.name}")
    elif noted.text.partition(" ")[0] != seen.digest:
        raise IntakeError(
            f"{programs}: not the file that this import was begun from "
            f"({noted.text.partition(' ')[2]}); choose another --name"
        )


class _Taking:
    """Programs on their way from the file to the archive."""

    def __init__(
        self,
        reader: RunReader,
        writer: ArchiveWriter,
        tasks: Sequence[Task],
        per_task: int | None,
        on_progress: Callable[[Intake], None],
    ) -> None:
        self.intake = Intake()
        self._writer = writer
        self._tasks = {task.id: (index, task) for index, task in enumerate(tasks)}
        self._per_task = per_task
        self._on_progress = on_progress
        rows = reader.task_rows(0)
        self._archived = {row.index: row.candidates for row in rows}
        self._pulls = {row.index: row.pulls for row in rows}
        self._met: Counter[int] = Counter()
        self._claims: deque[tuple[bool, ...] | None] = deque()
        self._waiting: defaultdict[int, list[tuple[str, Evaluation]]] = defaultdict(list)
        self._seconds_before, self._started = _seconds_before(reader), time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the intake has taken, earlier processes' time included."""
        return self._seconds_before + time.monotonic() - self._started

    async def given(self, path: Path) -> AsyncIterator[list[GivenProgram]]:
        """Yield the programs of a file that are still to be run."""
        for rows in read_rows(path):
            programs = []
            for row in rows:
                program = self._program(row)
                if program is not None:
                    programs.append(program)
                    self._claims.append(row.claim)
            self.intake.rows += len(rows)
            self._on_progress(self.intake)
            if programs:
                yield programs
            else:
                await asyncio.sleep(0)  # passing over what is done must not deafen the loop

    def _program(self, row: GivenRow) -> GivenProgram | None:
        """Return a row's program, or None when it is refused or archived already."""
        fault = row.fault
        if fault is None and row.task not in self._tasks:
            fault = "its task is not in the task set"
        elif fault is None and not mentions_entry(row.source):
            long = len(row.source) > LONGEST
            fault = f"longer than {LONGEST:,} characters" if long else "defines no transform"
        if fault is not None:
            self.intake.refuse(row, fault)
            return None
        index, task = self._tasks[row.task]
        if len(task.inputs) > MAX_INPUTS:
            self.intake.refuse(row, f"its task has more than {MAX_INPUTS} inputs")
            return None
        if self._met[index] == min(_LAST_NUMBER, self._per_task or _LAST_NUMBER):
            self.intake.refuse(row, "more of its task than are taken in")
            return None
        self._met[index] += 1
        if self._met[index] <= self._archived[index]:
            self.intake.before += 1
            return None
        return GivenProgram(row.number, task.without_truth(), row.source)

    async def deliver(self, judged: Sequence[tuple[GivenProgram, Evaluation]]) -> None:
        """Archive what was run, as soon as there is a pull's worth of a task."""
        for program, evaluation in judged:
            claim = self._claims.popleft()
            self.intake.run += 1
            self.intake.claims += claim is not None
            self.intake.denied += claim is not None and claim != evaluation.right
            index, _ = self._tasks[program.task.id]
            waiting = self._waiting[index]
            waiting.append((program.source, evaluation))
            if len(waiting) == PULL:
                self._put(index)
        self._on_progress(self.intake)
        await self._writer.ready()

    def put_rest(self) -> None:
        """Archive what waits for a whole pull, at the end or where it was cut off."""
        for index in sorted(self._waiting):
            if self._waiting[index]:
                self._put(index)
        self._note_time()

    def _put(self, index: int) -> None:
        first, number = self._archived[index], self._pulls[index]
        programs = self._waiting.pop(index)
        pull = Pull(0, index, number, "sample", 0, None, None, 0, time.time(), 0.0)
        candidates = [
            Candidate(
                candidate_id(0, index, first + slot), "sample", number, 0, None, source, evaluation
            )
            for slot, (source, evaluation) in enumerate(programs)
        ]
        self._writer.put_pull(pull, candidates)
        self._archived[index] += len(candidates)
        self._pulls[index] += 1
        self._note_time()

    def _note_time(self) -> None:
        self._writer.put_status(_STATUS, {"seconds": self.seconds})


def _seconds_before(reader: RunReader) -> float:
    """Return how long earlier processes took at an intake that was cut off."""
    status = reader.statuses().get(_STATUS)
    held = None if status is None else status.value
    return float(held["seconds"]) if isinstance(held, dict) else 0.0


def _vote(reader: RunReader, writer: ArchiveWriter, settings: Settings) -> None:
    """Record every task's vote over what was taken in."""
    finished = reader.finished(0)
    for index in range(len(reader.tasks())):
        if index in finished:
            continue
        tallies = map(tally_of, reader.tallies(0, index))
        invariants = invariants_of(reader.tasks()[index])
        ranked = rank(tallies, settings.vote.formula, settings.vote.c, invariants)
        writer.put_vote(
            0,
            index,
            settings.vote.formula,
            [(tally.pattern, weight, tally.count) for tally, weight in ranked],
            0.0,
        )
