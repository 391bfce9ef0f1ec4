"""What an iteration spent: time, tokens and money, in all and per solved task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.record import SearchRecord
from engine.archive.rows import IterationRow


@dataclass(frozen=True, slots=True)
class PerSolved:
    """A spending divided by the tasks solved."""

    seconds: float | None
    search_seconds: float
    candidates: float
    tokens_in: float
    tokens_out: float
    cost: float


@dataclass(frozen=True, slots=True)
class Spending:
    """What the voted searches of an iteration took.

    `seconds` is the iteration's time on the clock (None: not over), `search_seconds` the sum over
    searches, many of which are under way at once, `learning_seconds` what learning from it took
    (None: nothing was learned). Tokens and `cost`, in the currency of the price tables, are 0 where
    no language model was asked. `per_solved` is None where no task is solved or no truth is known.
    """

    seconds: float | None
    search_seconds: float
    learning_seconds: float | None
    candidates: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    cost: float
    per_solved: PerSolved | None


def spending(
    row: IterationRow, records: Sequence[SearchRecord], learning: float | None
) -> Spending:
    """Return what an iteration's voted searches took."""
    rows = [record.row for record in records]
    searched = math.fsum(one.seconds or 0.0 for one in rows)
    cost = math.fsum(one.cost for one in rows)
    candidates = sum(one.candidates for one in rows)
    tokens_in = sum(one.tokens_in for one in rows)
    tokens_out = sum(one.tokens_out for one in rows)
    solved = sum(record.solved is True for record in records)
    return Spending(
        seconds=row.seconds,
        search_seconds=searched,
        learning_seconds=learning,
        candidates=candidates,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=sum(one.tokens_cached for one in rows),
        cost=cost,
        per_solved=PerSolved(
            None if row.seconds is None else row.seconds / solved,
            searched / solved,
            candidates / solved,
            tokens_in / solved,
            tokens_out / solved,
            cost / solved,
        )
        if solved
        else None,
    )
