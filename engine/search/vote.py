"""The weighted vote: patterns of test outputs, their weight, the two that are submitted (SOAR §6)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.archive.rows import TallyRow
from engine.config import Formula
from engine.programs.candidate import Candidate, prior_weight
from engine.programs.source import source_hash
from engine.search.invariants import Invariants, kept

SUBMISSIONS = 2
_WITHOUT_PRIOR = 1e-9
T = TypeVar("T", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Tally:
    """What stands behind one pattern.

    `pattern` is the joint packed outputs for all test inputs; `count` the candidates that
    produced it, duplicates counted; `accuracy_sum` Σ a over them; `shortest` the length in
    characters of the shortest program among them; `prior_sum` Σ exp(prior) over its distinct
    programs that have a prior.
    """

    pattern: bytes
    count: int
    accuracy_sum: float
    shortest: int
    prior_sum: float = 0.0


@dataclass(slots=True)
class _Behind:
    """What stands behind a pattern so far; priors by the hash of the program's source."""

    count: int
    right: int
    shortest: int
    priors: dict[bytes, float] | None = None


class Tallies:
    """Tallies growing with the candidates of one task; the order of arrival does not matter."""

    def __init__(self) -> None:
        self._behind: dict[bytes, _Behind] = {}
        self._pairs = 1

    def add(self, candidate: Candidate) -> None:
        """Count a candidate, unless a filter bars it or it left a test input without output."""
        evaluation = candidate.evaluation
        if candidate.source is None or evaluation is None or evaluation.filter is not None:
            return
        pattern = evaluation.pattern
        if pattern is None:
            return
        self._pairs = len(evaluation.right)
        length = len(candidate.source)
        behind = self._behind.setdefault(pattern, _Behind(0, 0, length))
        behind.count += 1
        # Whole pairs are summed, not shares, so that no order of floats can change a weight.
        behind.right += sum(evaluation.right)
        behind.shortest = min(behind.shortest, length)
        if candidate.prior is not None:
            priors = behind.priors = {} if behind.priors is None else behind.priors
            source, weighs = source_hash(candidate.source), prior_weight(candidate.prior)
            priors[source] = max(weighs, priors.get(source, 0.0))

    def all(self) -> list[Tally]:
        """Return one tally per pattern."""
        return [
            Tally(
                pattern,
                behind.count,
                behind.right / self._pairs,
                behind.shortest,
                # fsum, for the sum of floats must not depend on the order they came in.
                math.fsum((behind.priors or {}).values()),
            )
            for pattern, behind in self._behind.items()
        ]


def tally_of(row: TallyRow) -> Tally:
    """Return what the archive says stands behind a pattern as the vote counts it."""
    pattern = b"".join(row.outputs)
    return Tally(pattern, row.count, row.accuracy_sum, row.shortest, row.prior_sum)


def weight(tally: Tally, formula: Formula, c: float, invariants: Invariants | None = None) -> float:
    """Return a pattern's weight; see `weigh`.

    `invariants` are the task's. Raises ValueError when the formula needs them and there are none.
    """
    keeps = 1.0
    if formula == "invariant":
        if invariants is None:
            raise ValueError("the formula `invariant` needs those of the task")
        keeps = kept(invariants, tally.pattern)
    return weigh(float(tally.count), tally.accuracy_sum, tally.prior_sum, formula, c, keeps=keeps)


def weigh(count: T, accuracy_sum: T, prior_sum: T, formula: Formula, c: float, *, keeps: T) -> T:
    """Return the weight of one pattern, or of many at once, from what stands behind it.

    `sum` is Σ (1 + c·a) over its programs (the published code), `text` Σ a (SOAR §3), `appendix`
    count + c · mean a (SOAR App. D.1). Two are ours: `prior`, Σ exp(prior) over distinct programs,
    for policies that weigh their own programs (`sum`, scaled to nothing beside it, orders the rest);
    and `invariant`, that times `keeps` (engine.search.invariants).
    """
    if formula == "sum":
        return count + c * accuracy_sum
    if formula in ("prior", "invariant"):
        by_prior = prior_sum + _WITHOUT_PRIOR * (count + c * accuracy_sum)
        return by_prior * keeps if formula == "invariant" else by_prior
    if formula == "text":
        return accuracy_sum
    return count + c * accuracy_sum / count


def rank(
    tallies: Iterable[Tally], formula: Formula, c: float, invariants: Invariants | None = None
) -> list[tuple[Tally, float]]:
    """Order patterns heaviest first; ties by count, then by the shortest program.

    `invariants` are the task's, for the formula that weighs them; see `weight`. The first SUBMISSIONS
    patterns are what the task submits. A last tie, which no rule of the method breaks, goes by the
    pattern's bytes, so that equal tallies always rank equally.
    """
    weighed = [(entry, weight(entry, formula, c, invariants)) for entry in tallies]
    return sorted(weighed, key=lambda e: (-e[1], -e[0].count, e[0].shortest, e[0].pattern))
