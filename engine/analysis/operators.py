"""How often each operator succeeds, and how that changes: an exponential moving average (EMA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.analysis.estimates import moving_average
from engine.analysis.record import PullOutcomes
from engine.programs.candidate import Operator

SPAN: Final = 500
"""Completions over which the average looks back."""
POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class OperatorSuccess:
    """One operator over an iteration, pulls in the order of time.

    A sample succeeds when it is right on every demonstration, a refinement when it is right on more
    of them than its parent.
    """

    operator: Operator
    """Which operator."""
    pulls: int
    """How often it was pulled."""
    completions: int
    """Candidates that came of it."""
    successes: int
    """Those that succeeded."""
    rate: float
    """Successes over completions."""
    average: float
    """Exponential moving average at the end, over the last 500 completions."""
    curve: tuple[tuple[int, float], ...]
    """Up to 200 points: completions so far, and the average there."""


def operator_success(searches: Sequence[PullOutcomes]) -> tuple[OperatorSuccess, ...]:
    """Return the success of each operator that was pulled, over all searches together."""
    if not searches:
        return ()
    created = np.concatenate([one.created for one in searches])
    order = np.argsort(created, kind="stable")
    refined = np.concatenate([one.refined for one in searches])[order]
    completions = np.concatenate([one.completions for one in searches])[order]
    successes = np.concatenate([one.successes for one in searches])[order]
    found = []
    operators: tuple[tuple[Operator, bool], ...] = (("sample", False), ("refine", True))
    for operator, which in operators:
        mine = (refined == which) & (completions > 0)
        drawn, won = completions[mine], successes[mine]
        if not len(drawn):
            continue
        average = moving_average((won / drawn).tolist(), drawn.tolist(), SPAN)
        so_far = np.cumsum(drawn)
        shown = np.unique(np.linspace(0, len(drawn) - 1, min(POINTS, len(drawn))).astype(int))
        found.append(
            OperatorSuccess(
                operator=operator,
                pulls=len(drawn),
                completions=int(so_far[-1]),
                successes=int(won.sum()),
                rate=float(won.sum() / so_far[-1]),
                average=float(average[-1]),
                curve=tuple((int(so_far[at]), float(average[at])) for at in shown),
            )
        )
    return tuple(found)
