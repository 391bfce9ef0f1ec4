"""What the engine puts, checked before it is queued: a bad unit is refused where it was made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.arc import Task, pack
from engine.archive.packing import PackingError, pack_grids, packed_grids
from engine.archive.schema import ArchiveError
from engine.programs.candidate import Candidate, Pull, split_candidate_id


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task as its row holds it; equal exactly when the tasks are."""

    id: str
    pairs: int
    tests: int
    train: bytes
    test: bytes
    truth: tuple[bytes, ...] | None


def stored_task(task: Task) -> StoredTask:
    """Return a task as it is stored."""
    sides = [grid for pair in task.train for grid in (pair.input, pair.output)]
    return StoredTask(
        task.id,
        len(task.train),
        len(task.test),
        pack_grids(sides),
        pack_grids(task.test),
        None if task.truth is None else tuple(pack(grid) for grid in task.truth),
    )


def check_pull(pull: Pull, candidates: Sequence[Candidate], task: StoredTask) -> None:
    """Raise ArchiveError when a pull and its candidates contradict each other or the task."""
    place = f"iteration {pull.iteration}, task {task.id}, pull {pull.number}"
    if not 0 <= pull.seed < 1 << 63:
        raise ArchiveError(f"{place}: seed {pull.seed} does not fit 63 bits")
    if pull.draw is not None and math.isnan(pull.draw):
        raise ArchiveError(f"{place}: its draw is not a number")
    said = (pull.operator, pull.number, pull.island, pull.parent)
    for slot, candidate in enumerate(candidates):
        here = (pull.iteration, pull.task, (candidates[0].id & 0xFFFFFF) + slot)
        if split_candidate_id(candidate.id) != here:
            raise ArchiveError(f"{place}: candidate {candidate.id} is out of its place {here}")
        if (candidate.operator, candidate.pull, candidate.island, candidate.parent) != said:
            raise ArchiveError(f"{place}: candidate {candidate.id} says it is of another pull")
        if candidate.prior is not None and math.isnan(candidate.prior):
            raise ArchiveError(f"{place}: candidate {candidate.id} has a prior that is no number")
        evaluation = candidate.evaluation
        if evaluation is not None and (
            len(evaluation.right) != task.pairs
            or len(evaluation.results) != task.pairs + task.tests
        ):
            raise ArchiveError(
                f"{place}: candidate {candidate.id} has {len(evaluation.results)} results and "
                f"{len(evaluation.right)} marks; the task has {task.pairs} pairs and "
                f"{task.tests} test inputs"
            )


def split_pattern(pattern: bytes, tests: int) -> tuple[bytes, ...]:
    """Return a pattern's packed outputs, one per test input. Raises ArchiveError otherwise."""
    try:
        outputs = packed_grids(pattern)
    except PackingError as error:
        raise ArchiveError(f"a pattern that is no joined grids: {error}") from error
    if len(outputs) != tests:
        raise ArchiveError(f"a pattern of {len(outputs)} outputs for {tests} test inputs")
    return outputs


def check_same_tasks(held: Sequence[StoredTask], given: Sequence[StoredTask], path: Path) -> None:
    """Raise ArchiveError naming the first task that is not the one the archive holds."""
    if len(held) != len(given):
        raise ArchiveError(f"{path} holds {len(held)} tasks, not {len(given)}")
    for index, (old, new) in enumerate(zip(held, given, strict=True)):
        if old.id != new.id:
            raise ArchiveError(f"{path}: task {index} is {old.id!r} there, not {new.id!r}")
        if old != new:
            what = "truth" if old.truth != new.truth else "grids"
            raise ArchiveError(f"{path}: task {index} ({old.id}) has other {what} there")
