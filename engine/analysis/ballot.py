"""The vote over columns: which patterns win among any chosen candidates of a task (SOAR §6).

The weights are those of engine.search.vote; here they are computed for all patterns at once, so
that a vote can be held again at every budget, for every operator and over any runs together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.arc import Task
from engine.archive.tallies import SearchColumns
from engine.config import Formula
from engine.programs.candidate import prior_weight
from engine.search.invariants import invariants_of, kept
from engine.search.vote import SUBMISSIONS, weigh

_NO_LENGTH: Final = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """The candidates of one task that may vote: unfiltered, with an output for every test input.

    Per candidate, in order: `place` int32, its position in its search; `member` int32, which of
    several pooled searches it is from; `pattern` int32, a position in `outputs`; `pairs_right`
    int32 of `pairs`; `length` int32; `key` int64, its source; `prior` float64 (NaN: none).

    `outputs` are in the order of their bytes, which settles last ties; `marks` int64 per pattern,
    bit t set where test output t is right, -1 where the truth is unknown; `keeps` float64 per
    pattern, what the formula `invariant` multiplies by.
    """

    pairs: int
    tests: int
    place: NDArray[np.int32]
    member: NDArray[np.int32]
    pattern: NDArray[np.int32]
    pairs_right: NDArray[np.int32]
    length: NDArray[np.int32]
    key: NDArray[np.int64]
    prior: NDArray[np.float64]
    outputs: tuple[bytes, ...]
    marks: NDArray[np.int64]
    keeps: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """A vote counted: per pattern its weight, its candidates and its shortest program's length."""

    weight: NDArray[np.float64]
    votes: NDArray[np.int64]
    shortest: NDArray[np.int32]

    def heaviest(self, most: int | None = None) -> list[int]:
        """Return patterns heaviest first, as engine.search.vote.rank orders them; `most` of them."""
        voted = np.flatnonzero(self.votes)
        if most is not None and len(voted) > most:
            least = np.partition(self.weight[voted], len(voted) - most)[len(voted) - most]
            voted = voted[self.weight[voted] >= least]
        order = np.lexsort((voted, self.shortest[voted], -self.votes[voted], -self.weight[voted]))
        return [int(place) for place in voted[order][:most]]


def ballot_of(columns: SearchColumns, task: Task) -> Ballot:
    """Return the voters of one search of a task."""
    invariants = invariants_of(task)
    votes = np.flatnonzero(~columns.barred & (columns.pattern >= 0) & (columns.program >= 0))
    return Ballot(
        pairs=columns.pairs,
        tests=columns.tests,
        place=votes.astype(np.int32),
        member=np.zeros(len(votes), dtype=np.int32),
        pattern=columns.pattern[votes],
        pairs_right=columns.pairs_right[votes],
        length=columns.length[votes],
        key=columns.key[votes],
        prior=columns.prior[votes],
        outputs=columns.outputs,
        marks=columns.marks,
        keeps=np.array([kept(invariants, one) for one in columns.outputs], dtype=np.float64),
    )


def pooled(ballots: Sequence[Ballot]) -> Ballot:
    """Return the union of ballots on one task; `member` says which of them a candidate is from.

    Raises ValueError when there are none, or when they are not on the same task.
    """
    if not ballots:
        raise ValueError("no ballots to pool")
    if len({(ballot.pairs, ballot.tests) for ballot in ballots}) > 1:
        raise ValueError("ballots of different tasks cannot be pooled")
    marks: dict[bytes, int] = {}
    keeps: dict[bytes, float] = {}
    for ballot in ballots:
        keeps.update(zip(ballot.outputs, ballot.keeps.tolist(), strict=True))
        for output, mark in zip(ballot.outputs, ballot.marks.tolist(), strict=True):
            marks[output] = max(mark, marks.get(output, -1))
    outputs = tuple(sorted(marks))
    at = {output: place for place, output in enumerate(outputs)}
    places = [np.array([at[one] for one in ballot.outputs], dtype=np.int32) for ballot in ballots]
    return Ballot(
        pairs=ballots[0].pairs,
        tests=ballots[0].tests,
        place=np.concatenate([ballot.place for ballot in ballots]),
        member=np.repeat(
            np.arange(len(ballots), dtype=np.int32), [len(ballot.place) for ballot in ballots]
        ),
        pattern=np.concatenate(
            [
                there[ballot.pattern] if len(there) else ballot.pattern
                for there, ballot in zip(places, ballots, strict=True)
            ]
        ),
        pairs_right=np.concatenate([ballot.pairs_right for ballot in ballots]),
        length=np.concatenate([ballot.length for ballot in ballots]),
        key=np.concatenate([ballot.key for ballot in ballots]),
        prior=np.concatenate([ballot.prior for ballot in ballots]),
        outputs=outputs,
        marks=np.array([marks[output] for output in outputs], dtype=np.int64),
        keeps=np.array([keeps[output] for output in outputs], dtype=np.float64),
    )


def count_votes(
    ballot: Ballot, formula: Formula, c: float, chosen: NDArray[np.bool_] | None = None
) -> Count:
    """Count the vote of the chosen candidates (None: all), duplicates counted."""
    pattern, right, length = ballot.pattern, ballot.pairs_right, ballot.length
    if chosen is not None:
        pattern, right, length = pattern[chosen], right[chosen], length[chosen]
    patterns = len(ballot.outputs)
    votes = np.bincount(pattern, minlength=patterns)
    # Whole pairs are summed, not shares, so that no order of floats can change a weight.
    accuracy = np.bincount(pattern, weights=right, minlength=patterns) / ballot.pairs
    shortest = np.full(patterns, _NO_LENGTH, dtype=np.int32)
    np.minimum.at(shortest, pattern, length)
    priors = np.zeros(patterns)
    if formula in ("prior", "invariant"):
        priors = _prior_sums(ballot, chosen)
    with np.errstate(invalid="ignore"):  # a pattern nobody chose votes 0 of 0, and is never ranked
        weight = weigh(votes.astype(np.float64), accuracy, priors, formula, c, keeps=ballot.keeps)
    return Count(weight, votes, shortest)


def submissions(
    ballot: Ballot, formula: Formula, c: float, chosen: NDArray[np.bool_] | None = None
) -> list[int]:
    """Return the patterns that the chosen candidates submit, best first."""
    return count_votes(ballot, formula, c, chosen).heaviest(SUBMISSIONS)


def solves(ballot: Ballot, submitted: Sequence[int]) -> bool:
    """Return whether one of some submitted patterns is right on every test input."""
    whole = (1 << ballot.tests) - 1
    return any(int(ballot.marks[place]) == whole for place in submitted)


def credit(ballot: Ballot, submitted: Sequence[int]) -> float:
    """Return the share of test inputs that some submitted pattern matches (SOAR §1)."""
    matched = 0
    for place in submitted:
        matched |= max(0, int(ballot.marks[place]))
    return matched.bit_count() / ballot.tests


def _prior_sums(ballot: Ballot, chosen: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """Return per pattern Σ exp(prior) over its distinct programs that have a prior."""
    weighed = ~np.isnan(ballot.prior)
    if chosen is not None:
        weighed &= chosen
    heaviest: dict[int, dict[int, float]] = defaultdict(dict)
    for pattern, key, prior in zip(
        ballot.pattern[weighed].tolist(),
        ballot.key[weighed].tolist(),
        ballot.prior[weighed].tolist(),
        strict=True,
    ):
        programs, weight = heaviest[pattern], prior_weight(prior)
        programs[key] = max(weight, programs.get(key, 0.0))
    sums = np.zeros(len(ballot.outputs))
    for pattern, programs in heaviest.items():
        # fsum, for the sum of floats must not depend on the order they came in.
        sums[pattern] = math.fsum(programs.values())
    return sums
