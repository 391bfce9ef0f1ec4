"""Near misses: how many cells the best wrong answer of a task is away from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arc import Task, pack
from engine.archive.tallies import SearchColumns


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The pattern of an unsolved task nearest to the truth, all its outputs of the right shape."""

    pattern: int
    """The pattern's id in the archive."""
    wrong: int
    """Wrong cells over all test outputs; 0: it is right, and was outvoted."""
    cells: int
    """Cells in all."""
    rank: int
    """Its place in the vote, from 1."""
    count: int
    """Unfiltered candidates that gave it."""


def nearest(
    columns: SearchColumns, task: Task, ranked: Sequence[int], votes: NDArray[np.int64]
) -> NearMiss | None:
    """Return the ranked pattern with the fewest wrong cells; ties go to the better rank.

    None where the truth is unknown or no pattern has the right shape on every test input.
    """
    if task.truth is None:
        return None
    truth = b"".join(pack(grid) for grid in task.truth)
    shapes = _shape_bytes(task)
    alike = [
        (rank, place)
        for rank, place in enumerate(ranked, 1)
        if len(columns.outputs[place]) == len(truth)
    ]
    if not alike:
        return None
    joined = b"".join(columns.outputs[place] for _, place in alike)
    differ = np.frombuffer(joined, dtype=np.uint8).reshape(len(alike), -1) != np.frombuffer(
        truth, dtype=np.uint8
    )
    shaped = ~differ[:, shapes].any(axis=1)
    if not shaped.any():
        return None
    wrong = np.where(shaped, differ.sum(axis=1), len(truth) + 1)
    best = int(np.argmin(wrong))
    rank, place = alike[best]
    return NearMiss(
        pattern=int(columns.pattern_id[place]),
        wrong=int(wrong[best]),
        cells=len(truth) - len(shapes),
        rank=rank,
        count=int(votes[place]),
    )


def _shape_bytes(task: Task) -> list[int]:
    """Return where in the joined packed outputs rows and columns are written, not cells."""
    found, at = [], 0
    for grid in task.truth or ():
        found += [at, at + 1]
        at += 2 + grid.size
    return found
