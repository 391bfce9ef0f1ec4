"""How a run stands, read from its folder."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soar_tui.cli.answers import ranked_patterns

if TYPE_CHECKING:
    from engine.arc import Task
    from engine.archive.reader import RunReader
    from engine.archive.rows import CandidateQuery, CandidateRow, IterationRow, TaskRow
    from engine.config import Settings
    from engine.control import RunState


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one task stands in one iteration.

    `share` is the heaviest pattern's share of all weight, 0..1; `shortest` the shortest program
    right on every demonstration (and on the tests, if one is known to be); None where there is
    none.
    """

    task: Task
    row: TaskRow
    share: float | None
    shortest: CandidateRow | None


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a run's folder says of how it stands; `results` are of the last iteration."""

    folder: Path
    settings: Settings
    state: RunState
    process: int | None
    iterations: tuple[IterationRow, ...]
    tasks: tuple[Task, ...]
    results: tuple[TaskResult, ...]
    running_seconds: float

    @property
    def last(self) -> IterationRow | None:
        """The latest iteration that has begun."""
        return self.iterations[-1] if self.iterations else None

    @property
    def searched(self) -> int:
        """How many tasks the latest iteration searches; before the first, how many there are."""
        return len(self.tasks) if self.last is None else self.last.tasks

    @property
    def candidates(self) -> int:
        """How many candidates there are over all iterations."""
        return sum(row.candidates for row in self.iterations)

    @property
    def cost(self) -> float:
        """What language models have cost over all iterations, in the price tables' currency."""
        return math.fsum(row.cost for row in self.iterations)

    @property
    def seconds(self) -> float:
        """How long engines have worked on the run."""
        return sum(self.seconds_of(row) for row in self.iterations)

    def seconds_of(self, row: IterationRow) -> float:
        """How long engines have worked on an iteration."""
        return self.running_seconds if row.seconds is None else row.seconds


def standing(folder: Path, *, with_results: bool = True) -> Standing:
    """Read how a run stands. Raises ConfigError and ArchiveError."""
    from engine.archive.reader import RunReader
    from engine.config import load_settings
    from engine.control import (
        SETTINGS_NAME,
        MissingFileError,
        RunState,
        engine_process,
        run_state,
    )

    settings = load_settings(folder / SETTINGS_NAME)
    process = engine_process(folder)
    try:
        reader = RunReader(folder)
    except MissingFileError:
        return Standing(folder, settings, RunState("new", None), process, (), (), (), 0.0)
    with reader:
        state = run_state(folder, reader, settings.planned_iterations)
        iterations = tuple(reader.iterations())
        results: tuple[TaskResult, ...] = ()
        if with_results and iterations:
            results = tuple(_results(reader, iterations[-1].index, settings))
        return Standing(
            folder=folder,
            settings=settings,
            state=state,
            process=process,
            iterations=iterations,
            tasks=reader.tasks(),
            results=results,
            running_seconds=engine_status(reader).seconds,
        )


def state_of(folder: Path) -> RunState:
    """Return a run's state. Raises ConfigError and ArchiveError."""
    return standing(folder, with_results=False).state


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the last engine said of itself: its step, and its seconds on the iteration."""

    step: str = "search"
    seconds: float = 0.0


def engine_status(reader: RunReader) -> EngineStatus:
    """Return what the last engine said of itself."""
    row = reader.statuses().get("engine")
    if row is None or not isinstance(row.value, dict):
        return EngineStatus()
    return EngineStatus(
        step=str(row.value.get("step", "search")),
        seconds=float(row.value.get("iteration_seconds", 0.0)),
    )


def _results(reader: RunReader, iteration: int, settings: Settings) -> list[TaskResult]:
    found = []
    tasks = reader.tasks()
    for row in reader.task_rows(iteration):
        share = shortest = None
        if row.candidates:
            _, patterns = ranked_patterns(reader, iteration, row.index, settings.vote)
            share = patterns[0].share if patterns else None
        if row.perfect:
            shortest = _shortest_perfect(reader, iteration, row.index)
        found.append(TaskResult(tasks[row.index], row, share, shortest))
    return found


def _shortest_perfect(reader: RunReader, iteration: int, task: int) -> CandidateRow | None:
    from engine.archive.rows import CandidateQuery

    found = matching(reader, CandidateQuery(iteration=iteration, task=task, perfect=True))
    return min(found, key=lambda row: (row.right is not True, row.length, row.id), default=None)


def matching(reader: RunReader, query: CandidateQuery) -> Iterator[CandidateRow]:
    """Yield the candidates that a query asks for, page by page."""
    after: int | None = None
    while True:
        page = reader.candidates(query, after=after)
        yield from page.rows
        after = page.next
        if after is None:
            return
