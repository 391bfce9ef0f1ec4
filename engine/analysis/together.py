"""Runs that were read, put together: what each stands for in a comparison, a pool, a scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.comparing import Comparison, ComparisonError, Side, compare
from engine.analysis.pooling import Member
from engine.analysis.run import RunAnalysis, RunRecords
from engine.archive.reader import RunReader
from engine.config import Settings


@dataclass(frozen=True, slots=True, eq=False)
class ReadRun:
    """A run that was read and is still open; `iteration` is the one asked about (None: latest)."""

    name: str
    settings: Settings
    reader: RunReader
    records: RunRecords
    analysis: RunAnalysis
    iteration: int | None = None

    @property
    def chosen(self) -> int | None:
        """The iteration it stands for: the one asked about, else the latest with votes.

        Those on target tasks come before those on tasks to learn from. None: nothing voted yet.
        """
        if self.iteration is not None:
            return self.iteration
        voted = [row for row in self.analysis.iterations if row.tasks]
        targets = [row for row in voted if row.phase == "test"] or voted
        return targets[-1].index if targets else None

    @property
    def through(self) -> bool:
        """Whether every search that was begun has been voted on."""
        return self.analysis.searches == self.analysis.begun


def side_of(run: ReadRun) -> Side | None:
    """Return a run as one side of a comparison; None when it has no votes yet."""
    index = run.chosen
    held = {} if index is None else run.records.by_iteration()
    if index is None or index not in held:
        return None
    row = next(row for row in run.analysis.iterations if row.index == index)
    return Side(run.name, index, row.policy, run.settings, held[index])


def compare_runs(runs: Sequence[ReadRun]) -> Comparison:
    """Compare runs by the iterations they stand for.

    Raises ComparisonError when one has no votes, or they share no task of known truth.
    """
    sides = [side_of(run) for run in runs]
    without = [_asked_for(run) for run, side in zip(runs, sides, strict=True) if side is None]
    if without:
        raise ComparisonError(unvoted(without))
    return compare([side for side in sides if side is not None])


def unvoted(names: Sequence[str]) -> str:
    """Return why runs, or iterations of them, without a vote have no results to compare."""
    return f"no task of {' and '.join(dict.fromkeys(names))} has been voted on yet"


def _asked_for(run: ReadRun) -> str:
    return run.name if run.iteration is None else f"{run.name}:{run.iteration + 1}"


def members_of(runs: Sequence[ReadRun]) -> list[Member]:
    """Return what runs stand for in a pool: one iteration each.

    Of one run alone, about which no iteration was asked: all with votes on the same kind of tasks.
    """
    if len(runs) == 1 and runs[0].iteration is None:
        (run,) = runs
        chosen = run.chosen
        phases = {row.index: row.phase for row in run.analysis.iterations if row.tasks}
        alike = [index for index, phase in phases.items() if phase == phases.get(chosen or 0)]
        return [Member(run.name, index, run.reader) for index in alike]
    stand = [(run, run.chosen) for run in runs]
    return [Member(run.name, index, run.reader) for run, index in stand if index is not None]
