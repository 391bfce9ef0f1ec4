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
    """Time on the clock; None while the iteration is not over."""
    search_seconds: float
    """Time of searches, added up."""
    candidates: float
    """Candidates tried."""
    tokens_in: float
    """Tokens in prompts."""
    tokens_out: float
    """Tokens written."""
    cost: float
    """Money; 0 without a price table."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What the voted searches of an iteration took; tokens are 0 without a language model."""

    seconds: float | None
    """The iteration's time on the clock; None while it is not over."""
    search_seconds: float
    """The time of its searches added up, many of which are under way at once."""
    learning_seconds: float | None
    """What learning from it took; None where nothing was learned."""
    candidates: int
    """Candidates of these searches."""
    tokens_in: int
    """Tokens in prompts."""
    tokens_out: int
    """Tokens the model wrote."""
    tokens_cached: int
    """Those of `tokens_in` that servers had in their caches."""
    cost: float
    """Money, in the currency of the price tables; 0 without one."""
    per_solved: PerSolved | None
    """The same per solved task; None where none is solved or no truth is known."""


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
