"""A whole run analysed: its records read one search at a time, its figures computed from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.analysis.diversity import RunWarning, diversity_warnings
from engine.analysis.iteration import IterationFigures, iteration_figures
from engine.analysis.record import SearchRecord, embedded_programs, record_of
from engine.analysis.tasks import HardTask, LostTask, NearTask, hardest, lost, near_misses
from engine.archive.reader import RunReader
from engine.config import Settings


@dataclass(frozen=True, slots=True)
class RunAnalysis:
    """A run in figures, as far as it has been voted on."""

    run: str
    """The run's name."""
    formula: str
    """The vote formula of its settings."""
    searches: int
    """Voted searches, which the figures stand on."""
    begun: int
    """Searches begun; the others are under way."""
    iterations: tuple[IterationFigures, ...]
    """The iterations begun so far, in order."""
    hardest: tuple[HardTask, ...]
    """Tasks never solved, the hardest first, 20 at most."""
    lost: tuple[LostTask, ...]
    """Tasks solved by an earlier iteration but not by the latest that searched them."""
    near_misses: tuple[NearTask, ...]
    """Unsolved tasks with the fewest wrong cells, nearest first, 20 at most."""
    warnings: tuple[RunWarning, ...]
    """What its owner should look at."""


@dataclass(slots=True)
class RunRecords:
    """The records of a run that were read so far, kept so that no search is read twice."""

    held: dict[tuple[int, int], SearchRecord] = field(default_factory=dict)
    begun: int = 0

    def by_iteration(self) -> dict[int, list[SearchRecord]]:
        """Return the records of each iteration in the order of tasks."""
        found: dict[int, list[SearchRecord]] = defaultdict(list)
        for (iteration, _), record in sorted(self.held.items()):
            found[iteration].append(record)
        return dict(found)


def read_records(
    reader: RunReader, settings: Settings, records: RunRecords
) -> Iterator[tuple[int, int]]:
    """Read the voted searches that `records` has not, into it; yields (done, all) after each.

    A caller may stop between two searches and go on later. Raises ArchiveError.
    """
    rows = reader.searches()
    records.begun = len(rows)
    voted = [row for row in rows if row.finished is not None]
    done = sum((row.iteration, row.task) in records.held for row in voted)
    yield done, len(voted)
    tasks = reader.tasks()
    for row in voted:
        if (row.iteration, row.task) in records.held:
            continue
        columns = reader.search_columns(row.iteration, row.task)
        sources = reader.program_sources(embedded_programs(columns))
        records.held[row.iteration, row.task] = record_of(
            row, columns, tasks[row.task], sources, settings.vote
        )
        done += 1
        yield done, len(voted)


def run_analysis(
    name: str, reader: RunReader, settings: Settings, records: RunRecords
) -> RunAnalysis:
    """Return a run's figures from the records read so far. Raises ArchiveError."""
    by_iteration = records.by_iteration()
    learned: dict[int, float] = defaultdict(float)
    for checkpoint in reader.checkpoints():
        learned[checkpoint.iteration] += checkpoint.seconds
    iterations = tuple(
        iteration_figures(
            row,
            by_iteration.get(row.index, []),
            settings.vote.formula,
            learned.get(row.index),
        )
        for row in reader.iterations()
    )
    searched = _target_records(by_iteration, iterations)
    return RunAnalysis(
        run=name,
        formula=settings.vote.formula,
        searches=len(records.held),
        begun=records.begun,
        iterations=iterations,
        hardest=hardest(searched),
        lost=lost(searched),
        near_misses=near_misses(searched),
        warnings=_warnings(iterations),
    )


def analyse(name: str, reader: RunReader, settings: Settings) -> RunAnalysis:
    """Read a run and return its figures. Raises ArchiveError."""
    records = RunRecords()
    for _ in read_records(reader, settings, records):
        pass
    return run_analysis(name, reader, settings, records)


def _target_records(
    by_iteration: dict[int, list[SearchRecord]], iterations: Sequence[IterationFigures]
) -> dict[int, list[SearchRecord]]:
    """Leave out iterations on tasks to learn from, where there are others."""
    targets = {row.index for row in iterations if row.phase == "test"}
    kept = {index: held for index, held in by_iteration.items() if index in targets}
    return kept or by_iteration


def _warnings(iterations: Sequence[IterationFigures]) -> tuple[RunWarning, ...]:
    """Warn of each phase apart: diversity on other tasks is no measure."""
    found: list[RunWarning] = []
    for phase in dict.fromkeys(row.phase for row in iterations):
        found += diversity_warnings(
            [(row.index, row.diversity) for row in iterations if row.phase == phase]
        )
    return tuple(sorted(found, key=lambda one: one.iteration))
