"""A task's patterns ranked by any formula, from what stands behind each (SOAR §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from engine.arc.grid import Grid, unpack
from engine.archive.rows import TallyRow
from engine.config import Formula
from engine.search.invariants import Invariants, invariants_of
from engine.search.vote import SUBMISSIONS, Tally, rank, tally_of
from soar_tui.widgets.vote_bars import Pattern

if TYPE_CHECKING:
    from soar_tui.open_run import OpenRun

FORMULAS: Final[tuple[Formula, ...]] = get_args(Formula)
SHOWN: Final = 200
"""Patterns shown at most; a long tail of patterns of one program each says nothing more."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A task's patterns by one formula; `right_ranks`: where each formula puts the right one.

    `recorded`: those marked as submitted were submitted, whatever this formula makes of them; else
    they are the two that lead.
    """

    formula: Formula
    patterns: tuple[Pattern, ...]
    total: int
    programs: int
    right_ranks: dict[Formula, int | None]
    recorded: bool


def ranked(run: OpenRun, iterations: Sequence[int], task: int, formula: Formula) -> Ranking:
    """Rank a task's patterns over some iterations."""
    tallied = _tallied(run, iterations, task)
    invariants = invariants_of(run.reader.task(task))
    c = run.settings.vote.c
    orders = {each: _order(tallied, each, c, invariants) for each in FORMULAS}
    order = orders[formula]
    # A vote over several iterations is nobody's but the viewer's.
    voted = run.reader.submissions(iterations[0], task) if len(iterations) == 1 else None
    patterns = tuple(
        Pattern(
            id=row.pattern,
            rank=place,
            outputs=tuple(unpack(packed) for packed in row.outputs),
            count=row.count,
            weight=weight,
            submitted=place <= SUBMISSIONS if voted is None else row.outputs in voted,
            right=row.right,
        )
        for place, (row, weight) in enumerate(order[:SHOWN], 1)
    )
    ranks = {each: _right_rank(order) for each, order in orders.items()}
    programs = sum(tally.count for _, tally in tallied.values())
    return Ranking(formula, patterns, len(tallied), programs, ranks, voted is not None)


def submissions(run: OpenRun, iteration: int, task: int) -> tuple[list[tuple[Grid, ...]], bool]:
    """Return a task's two submissions, best first, and whether they are recorded or only lead yet.

    A recorded vote is not weighed again: a search leaves thousands of patterns to be read for it.
    """
    recorded = run.reader.submissions(iteration, task)
    if recorded is not None:
        return [tuple(map(unpack, outputs)) for outputs in recorded], True
    vote = run.settings.vote
    invariants = invariants_of(run.reader.task(task))
    order = _order(_tallied(run, (iteration,), task), vote.formula, vote.c, invariants)
    return [tuple(map(unpack, row.outputs)) for row, _ in order[:SUBMISSIONS]], False


def _tallied(
    run: OpenRun, iterations: Sequence[int], task: int
) -> dict[bytes, tuple[TallyRow, Tally]]:
    """Return what stands behind each pattern, as it was read and as it is ranked."""

    def read() -> dict[bytes, tuple[TallyRow, Tally]]:
        tallied = {}
        for row in run.reader.tallies(iterations, task):
            tally = tally_of(row)
            tallied[tally.pattern] = row, tally
        return tallied

    return run.keep("tallies", (run.reader.data_version, tuple(iterations), task), read)


def _order(
    tallied: dict[bytes, tuple[TallyRow, Tally]], formula: Formula, c: float, invariants: Invariants
) -> list[tuple[TallyRow, float]]:
    order = rank((tally for _, tally in tallied.values()), formula, c, invariants)
    return [(tallied[tally.pattern][0], weight) for tally, weight in order]


def _right_rank(order: Sequence[tuple[TallyRow, float]]) -> int | None:
    for place, (row, _) in enumerate(order, 1):
        if row.right is not None and all(row.right):
            return place
    return None
