"""All figures of one run, in the order they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.figures.figure import Figure
from engine.figures.searching import calibration, diversity, operators, spending
from engine.figures.solving import (
    against_budget,
    equal_budget,
    formulas,
    pass_at_k,
    per_iteration,
)
from engine.figures.tasks import hardest, lost, near_misses

if TYPE_CHECKING:
    from engine.analysis import IterationFigures, RunAnalysis


def run_figures(run: RunAnalysis, iteration: int | None = None) -> tuple[Figure, ...]:
    """Return a run's figures; those of one iteration are of `iteration`, or of the latest voted."""
    voted = [row for row in run.iterations if row.tasks]
    chosen = next((row for row in voted if row.index == iteration), voted[-1] if voted else None)
    whole = (per_iteration(run),)
    if chosen is None:
        return whole
    of_iteration: tuple[Callable[[IterationFigures], Figure], ...] = (
        against_budget,
        pass_at_k,
        equal_budget,
        formulas,
        operators,
        calibration,
    )
    return (
        *whole,
        *(make(chosen) for make in of_iteration),
        diversity(run),
        spending(run),
        hardest(run),
        lost(run),
        near_misses(run),
    )
