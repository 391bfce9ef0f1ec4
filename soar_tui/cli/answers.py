"""A task's patterns as the vote ranks them: those on record, or, while it is searched, so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.archive.reader import RunReader
    from engine.config import VoteConfig

SUBMITTED = 2


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in the vote's order.

    `id` is the archive's; `outputs` are packed grids, one per test input; `share` is of the
    weight of all patterns, 0..1; `right` one mark per test input, None where the truth is unknown.
    """

    rank: int
    id: int
    outputs: tuple[bytes, ...]
    count: int
    weight: float
    share: float
    right: tuple[bool, ...] | None

    @property
    def submitted(self) -> bool:
        """Whether this is one of the task's two answers."""
        return self.rank <= SUBMITTED


def ranked_patterns(
    reader: RunReader, iteration: int, task: int, vote: VoteConfig
) -> tuple[str, list[Pattern]]:
    """Return the formula and a task's patterns, heaviest first, of one iteration (SOAR §6)."""
    result = reader.votes(iteration, task)
    if result is not None:
        weighed = [(r.pattern, r.outputs, r.count, r.weight, r.right) for r in result.ranked]
        formula = result.formula
    else:
        weighed, formula = _so_far(reader, iteration, task, vote), vote.formula
    whole = sum(weight for _, _, _, weight, _ in weighed)
    return formula, [
        Pattern(rank, name, outputs, count, weight, weight / whole if whole else 0.0, right)
        for rank, (name, outputs, count, weight, right) in enumerate(weighed, 1)
    ]


def _so_far(
    reader: RunReader, iteration: int, task: int, vote: VoteConfig
) -> list[tuple[int, tuple[bytes, ...], int, float, tuple[bool, ...] | None]]:
    from engine.search.invariants import invariants_of
    from engine.search.vote import rank, tally_of

    rows = {b"".join(row.outputs): row for row in reader.tallies(iteration, task)}
    tallies, invariants = map(tally_of, rows.values()), invariants_of(reader.tasks()[task])
    return [
        (rows[t.pattern].pattern, rows[t.pattern].outputs, t.count, weight, rows[t.pattern].right)
        for t, weight in rank(tallies, vote.formula, vote.c, invariants)
    ]


def searched_iterations(reader: RunReader) -> list[list[int]]:
    """Return for each task the iterations in which it has been searched at all, latest first."""
    found: list[list[int]] = [[] for _ in reader.tasks()]
    for iteration in reversed(reader.iterations()):
        for row in reader.task_rows(iteration.index):
            if row.candidates:
                found[row.index].append(iteration.index)
    return found
