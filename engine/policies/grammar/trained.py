"""The contextual model: what to try next, given what remains to be done (SOAR §3.2, our policy).

Each choice is a log-linear softmax over the problem's traits. A share of the untrained model is
always mixed in, so that nothing that applies is ever out of reach.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from engine.policies.grammar.checkpoint import Softmax, Weights, slot_name, value_name
from engine.policies.grammar.language import PRIMITIVES, Primitive
from engine.policies.grammar.model import EDITS, Context, Untrained
from engine.policies.grammar.problem import Problem
from engine.policies.grammar.traits import TRAITS, roles, traits

_Traits: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""A problem's traits and the roles of its colours."""

UNTRAINED_SHARE = 0.15
DEPTHS = 3
STEP_INPUTS = len(TRAITS) + 1 + len(PRIMITIVES) + DEPTHS


def step_inputs(
    vector: NDArray[np.float32], previous: Primitive | None, depth: int
) -> NDArray[np.float32]:
    """Return what the choice of a primitive looks at: traits, the step before, the depth.

    float32 of shape (STEP_INPUTS,).
    """
    inputs = np.zeros(STEP_INPUTS, dtype=np.float32)
    inputs[: len(vector)] = vector
    if previous is not None:
        inputs[len(vector) + list(PRIMITIVES).index(previous.name)] = 1
    inputs[STEP_INPUTS - DEPTHS + min(depth, DEPTHS - 1)] = 1
    return inputs


class Trained:
    """A `Model` with learned weights; remembers the traits of every problem while that lives."""

    def __init__(self, weights: Weights) -> None:
        self._untrained = Untrained()
        self._weights = weights
        self._seen: WeakKeyDictionary[Problem, _Traits] = WeakKeyDictionary()

    def primitive_weights(self, context: Context) -> np.ndarray:
        untrained = self._untrained.primitive_weights(context)
        vector, _ = self._traits(context)
        learned = softmax(step_inputs(vector, context.previous, context.depth) @ self._steps)
        learned = np.where(untrained > 0, learned, 0.0)
        return _mixed(learned, untrained)

    def slot_weights(self, context: Context, primitive: Primitive, position: int) -> np.ndarray:
        untrained = self._untrained.slot_weights(context, primitive, position)
        known = self._weights.slots.get(slot_name(primitive, position))
        if known is None:
            return untrained
        vector, parts = self._traits(context)
        if primitive.slots[position].kind == "colour":
            return _mixed(softmax((parts @ known.weights)[:, 0]), untrained)
        return _mixed(
            softmax(vector @ aligned(known, _value_names(primitive, position))), untrained
        )

    def going_on(self, context: Context) -> float:
        return self._weights.going_on

    def edit_weights(self, context: Context) -> np.ndarray:
        return np.array([self._weights.edits[edit] for edit in EDITS])

    @cached_property
    def _steps(self) -> NDArray[np.float32]:
        return aligned_steps(self._weights.steps)

    def _traits(self, context: Context) -> _Traits:
        problem = context.problem
        seen = self._seen.get(problem)
        if seen is None:
            seen = self._seen[problem] = traits(problem), roles(problem)
        return seen


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of scores, along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


def _mixed(learned: np.ndarray, untrained: np.ndarray) -> np.ndarray:
    total = learned.sum()
    if total <= 0:
        return untrained
    mixed: np.ndarray = (1 - UNTRAINED_SHARE) * learned / total
    mixed += UNTRAINED_SHARE * untrained / untrained.sum()
    return mixed


def aligned_steps(known: Softmax) -> NDArray[np.float32]:
    """Return a checkpoint's choice of primitives for the primitives as they are now.

    float32 of shape (STEP_INPUTS, primitives).
    """
    rows = len(TRAITS) + 1
    weights = np.zeros((STEP_INPUTS, len(PRIMITIVES)), dtype=np.float32)
    columns = aligned(known, tuple(PRIMITIVES))
    weights[:rows], weights[-DEPTHS:] = columns[:rows], columns[-DEPTHS:]
    before = dict(zip(known.values, columns[rows:-DEPTHS], strict=True))
    for place, name in enumerate(PRIMITIVES):
        if name in before:
            weights[rows + place] = before[name]
    return weights


@lru_cache(maxsize=1024)
def _value_names(primitive: Primitive, position: int) -> tuple[str, ...]:
    return tuple(value_name(value) for value in primitive.slots[position].values)


def aligned(known: Softmax, values: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the columns of the values asked for; unseen ones get the least of the known."""
    if known.values == values:
        return known.weights
    place = {value: column for column, value in enumerate(known.values)}
    least = known.weights.min(axis=1)
    return np.stack([known.weights[:, place[v]] if v in place else least for v in values], axis=1)
