"""Tasks worth looking at: the hardest, those lost since an earlier iteration, the near misses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.analysis.near import NearMiss
from engine.analysis.record import SearchRecord

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class HardTask:
    """A task that no iteration solved, over all that voted on it."""

    task: str
    """The task's id."""
    index: int
    """Its place among the run's tasks, from 0."""
    iterations: int
    """How many iterations voted on it."""
    candidates: int
    """Candidates it was given."""
    right: int
    """Those right on every test input: it was outvoted."""
    perfect: int
    """Unfiltered ones right on every demonstration."""
    best: float | None
    """Best share of demonstrations an unfiltered one reproduced, 0 to 1; None where none ran."""


@dataclass(frozen=True, slots=True)
class LostTask:
    """A task that an earlier iteration solved and the latest to search it did not."""

    task: str
    """The task's id."""
    index: int
    """Its place among the run's tasks, from 0."""
    solved_in: int
    """The last iteration that solved it, from 0."""
    lost_in: int
    """The latest iteration, from 0."""
    still_right: int
    """Candidates of the latest that are right; 0: none was found any more."""


@dataclass(frozen=True, slots=True)
class NearTask:
    """An unsolved task of the latest iteration that searched it, and its nearest pattern."""

    task: str
    """The task's id."""
    index: int
    """Its place among the run's tasks, from 0."""
    iteration: int
    """That iteration, from 0."""
    near: NearMiss
    """The nearest pattern."""


def hardest(
    records: Mapping[int, Sequence[SearchRecord]], most: int = SHOWN
) -> tuple[HardTask, ...]:
    """Return the tasks of known truth that no iteration solved, the hardest first.

    Order: no right candidate, then the lowest best accuracy, then the fewest perfect candidates,
    then the task's place in the run.
    """
    found = []
    for index, held in _by_task(records).items():
        if not held[0].known or any(record.solved for record in held):
            continue
        rows = [record.row for record in held]
        found.append(
            HardTask(
                task=held[0].id,
                index=index,
                iterations=len(held),
                candidates=sum(row.candidates for row in rows),
                right=sum(record.right["all"] for record in held),
                perfect=sum(row.perfect for row in rows),
                best=max((row.best for row in rows if row.best is not None), default=None),
            )
        )
    found.sort(key=lambda one: (one.right, one.best or 0.0, one.perfect, one.index))
    return tuple(found[:most])


def lost(records: Mapping[int, Sequence[SearchRecord]]) -> tuple[LostTask, ...]:
    """Return the tasks that an earlier iteration solved and the latest one to search them did not."""
    found = []
    for index, held in _by_task(records).items():
        before = [record.row.iteration for record in held[:-1] if record.solved]
        if held[-1].solved is False and before:
            found.append(
                LostTask(
                    task=held[-1].id,
                    index=index,
                    solved_in=before[-1],
                    lost_in=held[-1].row.iteration,
                    still_right=held[-1].right["all"],
                )
            )
    return tuple(sorted(found, key=lambda one: one.index))


def near_misses(
    records: Mapping[int, Sequence[SearchRecord]], most: int = SHOWN
) -> tuple[NearTask, ...]:
    """Return the unsolved tasks whose nearest pattern has the fewest wrong cells, nearest first."""
    found = [
        NearTask(held[-1].id, index, held[-1].row.iteration, held[-1].near)
        for index, held in _by_task(records).items()
        if held[-1].near is not None
    ]
    found.sort(key=lambda one: (one.near.wrong, one.near.rank, one.index))
    return tuple(found[:most])


def _by_task(records: Mapping[int, Sequence[SearchRecord]]) -> dict[int, list[SearchRecord]]:
    """Return each task's records, iterations in order."""
    by_task: dict[int, list[SearchRecord]] = defaultdict(list)
    for iteration in sorted(records):
        for record in records[iteration]:
            by_task[record.row.task].append(record)
    return dict(sorted(by_task.items()))
