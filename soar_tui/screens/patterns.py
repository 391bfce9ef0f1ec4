"""A task's patterns ranked by any formula, from what stands behind each (SOAR §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.arc.grid import unpack
from engine.archive.rows import TallyRow
from engine.config import Formula
from engine.search.vote import SUBMISSIONS, Tally, rank
from soar_tui.widgets.vote_bars import Pattern

if TYPE_CHECKING:
    from soar_tui.feed import OpenRun

FORMULAS: Final[tuple[Formula, ...]] = ("sum", "text", "appendix", "prior")
SHOWN: Final = 200
"""Patterns shown at most; a long tail of patterns of one program each says nothing more."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A task's patterns by one formula; `right_ranks`: where each formula puts the right one."""

    formula: Formula
    patterns: tuple[Pattern, ...]
    total: int
    programs: int
    right_ranks: dict[Formula, int | None]


def ranked(run: OpenRun, iterations: Sequence[int], task: int, formula: Formula) -> Ranking:
    """Rank a task's patterns over some iterations."""
    version = (run.reader.data_version, tuple(iterations), task)
    rows = run.keep("tallies", version, lambda: run.reader.tallies(iterations, task))
    by_pattern = {b"".join(row.outputs): row for row in rows}
    orders = {each: _order(by_pattern, each, run.settings.vote.c) for each in FORMULAS}
    order = orders[formula]
    patterns = tuple(
        Pattern(
            id=row.pattern,
            rank=place,
            outputs=tuple(unpack(packed) for packed in row.outputs),
            count=row.count,
            weight=weight,
            submitted=place <= SUBMISSIONS,
            right=row.right,
        )
        for place, (row, weight) in enumerate(order[:SHOWN], 1)
    )
    ranks = {each: _right_rank(order) for each, order in orders.items()}
    return Ranking(formula, patterns, len(rows), sum(row.count for row in rows), ranks)


def _order(
    by_pattern: dict[bytes, TallyRow], formula: Formula, c: float
) -> list[tuple[TallyRow, float]]:
    tallies = [
        Tally(pattern, row.count, row.accuracy_sum, row.shortest, row.prior_sum)
        for pattern, row in by_pattern.items()
    ]
    return [(by_pattern[tally.pattern], weight) for tally, weight in rank(tallies, formula, c)]


def _right_rank(order: Sequence[tuple[TallyRow, float]]) -> int | None:
    for place, (row, _) in enumerate(order, 1):
        if row.right is not None and all(row.right):
            return place
    return None
