"""REX: Thompson sampling over programs worth repairing (Tang et al. 2024; SOAR §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.config import Bandit
from engine.programs.candidate import Candidate
from engine.programs.source import source_hash

_FEWEST: Final = 64
_Number = TypeVar("_Number", bound=np.number)


@dataclass(frozen=True, slots=True)
class Draw:
    """One pull's choice: the arm's candidate id and the value that won (θ for Thompson bandits)."""

    arm: int
    value: float


def may_be_arm(candidate: Candidate) -> bool:
    """Whether a candidate may become an arm.

    It ran on at least one input, is not perfect on the demonstrations (nothing to repair) and no
    filter bars it; `invalid` alone does not, since a program that fails on some input is exactly
    what refinement is for (SOAR §5).
    """
    evaluation = candidate.evaluation
    return (
        evaluation is not None
        and evaluation.runs
        and not all(evaluation.right)
        and evaluation.filter in (None, "invalid")
    )


def posterior(
    accuracy: NDArray[np.float64], pulls: NDArray[np.int64], c: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the arms' Beta parameters α = 1 + C·a and β = 1 + C·(1 - a) + N.

    `accuracy` and `pulls` have shape (arms,); N counts completions drawn from an arm, those of
    pulls still under way included (SOAR §5).
    """
    return 1.0 + c * accuracy, 1.0 + c * (1.0 - accuracy) + pulls


class Population:
    """The arms of one task's island, growing as programs arrive, and what was drawn from each.

    Of a candidate it keeps the id and what a draw needs, 32 bytes: hundreds of tasks have thousands of
    arms each, and only the one that is drawn is looked at (engine.search.recall).
    """

    def __init__(self, bandit: Bandit, c: float) -> None:
        self._bandit = bandit
        self._c = c
        self._number = 0
        self._arms = np.zeros(_FEWEST, dtype=np.int64)
        self._sources = np.zeros(_FEWEST, dtype=np.uint64)
        self._accuracy = np.zeros(_FEWEST)
        self._pulls = np.zeros(_FEWEST, dtype=np.int64)

    def __len__(self) -> int:
        return self._number

    def add(self, candidate: Candidate) -> None:
        """Make a candidate an arm, unless it may not be one or its program is one already."""
        if candidate.source is None or candidate.evaluation is None or not may_be_arm(candidate):
            return
        # Half the hash tells a task's programs apart; to look at some thousands takes microseconds.
        source = np.frombuffer(source_hash(candidate.source), dtype=np.uint64)[0]
        place = self._number
        if (self._sources[:place] == source).any():
            return
        if place == len(self._arms):
            self._arms = _doubled(self._arms)
            self._sources = _doubled(self._sources)
            self._accuracy = _doubled(self._accuracy)
            self._pulls = _doubled(self._pulls)
        self._arms[place] = candidate.id
        self._sources[place] = source
        self._accuracy[place] = candidate.evaluation.accuracy
        self._number += 1

    def draw(self, completions: int, rng: np.random.Generator) -> Draw:
        """Choose an arm and count `completions` against it at once, so that pulls spread.

        Raises IndexError when there is no arm.
        """
        arms = self._number
        if arms == 0:
            raise IndexError("no arm to draw")
        accuracy, pulls = self._accuracy[:arms], self._pulls[:arms]
        if self._bandit == "uniform":
            values = rng.random(arms)
        elif self._bandit == "greedy":
            # Among equals the least drawn comes first, else one arm would take the whole budget.
            values = accuracy - pulls * 1e-9
        else:
            counted = np.zeros_like(pulls) if self._bandit == "thompson-no-discount" else pulls
            values = rng.beta(*posterior(accuracy, counted, self._c))
        place = int(np.argmax(values))
        self._pulls[place] += completions
        return Draw(int(self._arms[place]), float(values[place]))


def _doubled(values: NDArray[_Number]) -> NDArray[_Number]:
    return np.concatenate([values, np.zeros_like(values)])
