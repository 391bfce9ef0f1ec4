"""What decides which step comes next: the seam where a trained model takes the place of chance.

A model sees a context (the problem that remains, the step before, the depth) and weighs
primitives, the values of each slot, going on, and edits. It never executes anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.policies.grammar.language import Primitive, always
from engine.policies.grammar.primitives import ALL
from engine.policies.grammar.problem import Problem

EDITS = ("append", "replace", "insert", "delete", "reparameterise")
"""The ways a program is refined."""


@dataclass(frozen=True)
class Context:
    """Where a step is to be chosen: what remains to be done, after which step, how deep."""

    problem: Problem
    previous: Primitive | None = None
    depth: int = 0


class Model(Protocol):
    """Weights (not negative, not all 0, not normalised) for everything that is drawn.

    Pure: the same context always gets the same weights.
    """

    def primitive_weights(self, context: Context) -> np.ndarray:
        """Return one weight per primitive, in the order of `primitives.ALL`."""
        ...

    def slot_weights(self, context: Context, primitive: Primitive, position: int) -> np.ndarray:
        """Return one weight per value of a primitive's slot."""
        ...

    def going_on(self, context: Context) -> float:
        """Return the probability of another step while the demonstrations are not fitted."""
        ...

    def edit_weights(self, context: Context) -> np.ndarray:
        """Return one weight per entry of EDITS."""
        ...


class Untrained:
    """Chance, tempered by what needs no training.

    A primitive's weight is its hand-set share; it counts a quarter when the step cannot leave
    the grids in the targets' size (it changes a size that is right, or keeps one that is
    wrong). Colours that occur in no demonstration are not drawn. All else is equal.
    """

    def __init__(self) -> None:
        shares = [(p.weight, p.size) for p in ALL]
        self._right = np.array([w * (0.25 if size == "changes" else 1.0) for w, size in shares])
        self._wrong = np.array([w * (0.25 if size == "keeps" else 1.0) for w, size in shares])
        self._conditional = [place for place, p in enumerate(ALL) if p.applies is not always]

    def primitive_weights(self, context: Context) -> np.ndarray:
        weights = self._right if context.problem.same_size else self._wrong
        weights = weights.copy()
        for place in self._conditional:
            if not ALL[place].applies(context.problem):
                weights[place] = 0.0
        return weights

    def slot_weights(self, context: Context, primitive: Primitive, position: int) -> np.ndarray:
        slot = primitive.slots[position]
        if slot.kind != "colour":
            return np.ones(len(slot.values))
        weights = np.zeros(10)
        weights[list(context.problem.colours)] = 1.0
        return weights

    def going_on(self, context: Context) -> float:
        return 0.5

    def edit_weights(self, context: Context) -> np.ndarray:
        return np.ones(len(EDITS))
