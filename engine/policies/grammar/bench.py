"""A task's workbench: steps drawn, fitted and carried out, with every result remembered.

What it answers depends only on its arguments, never on what it remembers, so two workbenches of
one task give the same programs in any order of calls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random

import numpy as np

from engine.arc import Task
from engine.policies.grammar.language import Primitive, Slot, Step, Value, Values
from engine.policies.grammar.model import Context, Model
from engine.policies.grammar.primitives import ALL
from engine.policies.grammar.problem import MAX_SIDE, Problem, problem_of

NOT_APPLICABLE = (ValueError, LookupError, ArithmeticError)
"""What a primitive raises when it cannot be carried out on a grid."""
_MEMORY_CELLS = 1_000_000
"""Grid cells a workbench remembers before it starts afresh (8 MB)."""
_STEP_TRIES = 12
_LOOKS, _LATER_LOOKS = 6, 2
_SUGGESTED = 0.8
"""How often drawn slot values give way to suggested ones where a primitive has suggestions."""


def carry_out(step: Step, grid: np.ndarray) -> np.ndarray:
    """Return a step's output for a grid. Raises one of NOT_APPLICABLE when there is none."""
    result = np.asarray(step.primitive.function(grid, *step.arguments))
    if result.ndim != 2 or result.dtype.kind != "i":
        raise ValueError("not a grid of ints")
    if not (0 < result.shape[0] <= MAX_SIDE and 0 < result.shape[1] <= MAX_SIDE):
        raise ValueError("not the size of a grid")
    if int(result.astype(np.int64, copy=False).view(np.uint64).max()) > 9:  # below 0: huge
        raise ValueError("not the colours of a grid")
    return result


class Workbench:
    """Draws and carries out steps for one task under one model."""

    def __init__(self, task: Task, model: Model) -> None:
        self.start = problem_of(task)
        self.model = model
        self._problems: dict[bytes, Problem] = {}
        self._after: dict[tuple[bytes, str], Problem | None] = {}
        self._fits_first: dict[tuple[bytes, str], bool] = {}
        self._options: dict[tuple[object, ...], tuple[Values, ...]] = {}
        self._constants: dict[tuple[object, ...], Values | None] = {}
        self._weights: dict[tuple[object, ...], list[float]] = {}
        self.cells = 0

    def after(self, problem: Problem, step: Step) -> Problem | None:
        """Return the problem a step leaves; None when it fails on a grid or changes nothing."""
        key = (problem.key, step.text)
        if key not in self._after:
            self._after[key] = self._carry_out(problem, step)
        return self._after[key]

    def _carry_out(self, problem: Problem, step: Step) -> Problem | None:
        try:
            moved = problem.moved([carry_out(step, grid) for grid in problem.grids])
        except NOT_APPLICABLE:
            return None
        if moved.key == problem.key:
            return None
        known = self._problems.get(moved.key)
        if known is None:
            known = self._problems[moved.key] = moved
            self.cells += sum(grid.size for grid in moved.grids)
        return known

    def draw_step(
        self, context: Context, rng: Random, only: Primitive | None = None
    ) -> tuple[Step, Problem] | None:
        """Draw a step that works (of one primitive only, where given), with what it leaves.

        Looks at a few and takes one that fits the demonstrations if it sees any, else the first.
        None after a fixed number of failures.
        """
        problem, first = context.problem, None
        looks = _LOOKS if context.depth == 0 else _LATER_LOOKS
        for _ in range(_STEP_TRIES):
            primitive = only or self._draw_primitive(context, rng)
            drawn = tuple(
                self._draw_value(context, primitive, position, slot, rng)
                for position, slot in enumerate(primitive.slots)
            )
            step = self._realise(problem, primitive, drawn, rng)
            if step is None or not self._worth_carrying_out(problem, step, spare=first is not None):
                looks -= step is not None
            elif (left := self.after(problem, step)) is not None:
                if left.solved:
                    first = step, left
                    break
                first = first or (step, left)
                looks -= 1
            if looks == 0:
                break
        problem.forget_cells()
        return first

    def _worth_carrying_out(self, problem: Problem, step: Step, *, spare: bool) -> bool:
        """Whether a step may be of use: a spare one only if it fits the first demonstration."""
        if not spare:
            return True
        key = (problem.key, step.text)
        if key not in self._fits_first:
            left = self._after.get(key)
            self._fits_first[key] = _fits_first(problem, step) if left is None else left.right[0]
        return self._fits_first[key]

    def refit(self, problem: Problem, step: Step) -> Step | None:
        """Return the step with its constants fitted to another problem, None if they cannot be."""
        if step.primitive.fit is None:
            return step
        constants = self._fit(problem, step.primitive, step.slot_values)
        problem.forget_cells()
        return None if constants is None else Step(step.primitive, step.slot_values + constants)

    def tidy(self) -> None:
        """Start remembering afresh when too much is remembered."""
        if self.cells > _MEMORY_CELLS:
            self._problems.clear()
            self._after.clear()
            self._fits_first.clear()
            self._options.clear()
            self._constants.clear()
            self._weights.clear()
            self.cells = 0
            self.start = Problem(self.start.demos, self.start.tests, self.start.targets)

    def _draw_primitive(self, context: Context, rng: Random) -> Primitive:
        previous = context.previous.name if context.previous else None
        key = (context.problem.key, "next", previous, context.depth)
        if key not in self._weights:
            self._weights[key] = _accumulated(self.model.primitive_weights(context))
        return ALL[_draw(self._weights[key], rng)]

    def _draw_value(
        self, context: Context, primitive: Primitive, position: int, slot: Slot, rng: Random
    ) -> Value:
        key = (context.problem.key, "slot", primitive.name, position)
        if key not in self._weights:
            self._weights[key] = _accumulated(self.model.slot_weights(context, primitive, position))
        weights = self._weights[key]
        if slot.kind != "features":
            return slot.values[_draw(weights, rng)]
        wanted, found = rng.choice(slot.counts), []
        for _ in range(4 * wanted):
            value = slot.values[_draw(weights, rng)]
            if value not in found:
                found.append(value)
            if len(found) == wanted:
                break
        return tuple(found)

    def _realise(
        self, problem: Problem, primitive: Primitive, drawn: Values, rng: Random
    ) -> Step | None:
        suggested = primitive.suggest is not None and rng.random() < _SUGGESTED
        options = self._suggest(problem, primitive, drawn) if suggested else ()
        slots = options[int(rng.random() * len(options))] if options else drawn
        if primitive.fit is None:
            return Step(primitive, slots)
        constants = self._fit(problem, primitive, slots)
        return None if constants is None else Step(primitive, slots + constants)

    def _suggest(self, problem: Problem, primitive: Primitive, drawn: Values) -> tuple[Values, ...]:
        assert primitive.suggest is not None
        key = (problem.key, primitive.name, drawn)
        if key not in self._options:
            try:
                self._options[key] = tuple(primitive.suggest(problem, drawn))
            except NOT_APPLICABLE:
                self._options[key] = ()
        return self._options[key]

    def _fit(self, problem: Problem, primitive: Primitive, slots: Values) -> Values | None:
        key = (problem.key, primitive.name, slots)
        if key not in self._constants:
            self._constants[key] = fit_constants(problem, primitive, slots)
        return self._constants[key]


def fit_constants(problem: Problem, primitive: Primitive, slots: Values) -> Values | None:
    """Return a primitive's constants for a problem, None where they cannot be fitted."""
    assert primitive.fit is not None
    try:
        return primitive.fit(problem, slots)
    except NOT_APPLICABLE:
        return None


def _fits_first(problem: Problem, step: Step) -> bool:
    try:
        return np.array_equal(carry_out(step, problem.demos[0]), problem.targets[0])
    except NOT_APPLICABLE:
        return False


def _accumulated(weights: np.ndarray) -> list[float]:
    return list(accumulate(weights.tolist()))


def _draw(accumulated: Sequence[float], rng: Random) -> int:
    place = bisect_right(accumulated, rng.random() * accumulated[-1])
    return min(place, len(accumulated) - 1)
