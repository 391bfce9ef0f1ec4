"""Adaptive effort: what tasks left unspent goes to those whose search still gets on.

Everything here is a function of what is archived, so that a search that was cut off decides again
as it did.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from engine.programs.candidate import Candidate, Operator, Pull

DECAY = 0.9
"""Of an operator's progress, what is left of it a pull later."""
FLOOR = 0.02
"""What a task weighs that has made no progress: it is not given up."""


def progress(
    pulls: Iterable[tuple[Pull, Sequence[Candidate]]], budget: int
) -> dict[Operator, float]:
    """Return how far each operator has got on with one task lately, over its first `budget` programs.

    An exponential moving average over the operator's pulls, in their order, of what each gained:
    the rise of the best accuracy so far, and for each first program of another pattern that is
    right on all demonstrations as much as one pair, for then the answer is still open. Programs
    that a filter bars count for nothing.
    """
    found: dict[Operator, float] = {"sample": 0.0, "refine": 0.0}
    best, patterns, seen = 0.0, set[bytes | None](), 0
    for pull, candidates in pulls:
        if seen >= budget:
            break
        seen += len(candidates)
        before, opened = best, 0.0
        for candidate in candidates:
            evaluation = candidate.evaluation
            if evaluation is None or evaluation.filter is not None:
                continue
            best = max(best, evaluation.accuracy)
            if evaluation.perfect and evaluation.pattern not in patterns:
                patterns.add(evaluation.pattern)
                opened += 1 / len(evaluation.right)
        gain = best - before + opened
        found[pull.operator] = DECAY * found[pull.operator] + (1 - DECAY) * gain
    return found


def share_out(unspent: int, progressed: Mapping[int, float], pull: int) -> dict[int, int]:
    """Share unspent programs out among tasks, in proportion to FLOOR and their progress.

    Shares are whole pulls of `pull` programs; what no share is large enough for goes, a pull each,
    to the tasks that come next, the lowest index first. Less than one pull is left over in all.
    """
    pulls = unspent // pull
    if not progressed or not pulls:
        return dict.fromkeys(progressed, 0)
    weights = {task: FLOOR + gained for task, gained in progressed.items()}
    whole = math.fsum(weights.values())
    exact = {task: pulls * weight / whole for task, weight in weights.items()}
    shares = {task: int(share) for task, share in exact.items()}
    order = sorted(exact, key=lambda task: (shares[task] - exact[task], task))
    for task in order[: pulls - sum(shares.values())]:
        shares[task] += 1
    return {task: share * pull for task, share in shares.items()}
