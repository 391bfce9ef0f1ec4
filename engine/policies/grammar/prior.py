"""A program's prior: simple programs whose constants survive leaving out a demonstration weigh more."""

from __future__ import annotations

from math import log

from engine.policies.grammar.bench import NOT_APPLICABLE, carry_out, fit_constants
from engine.policies.grammar.chains import Chain
from engine.policies.grammar.language import Step
from engine.policies.grammar.problem import Problem

_VALIDATED = log(30)
_PER_COMPLEXITY = 0.7


def log_prior(chain: Chain) -> float | None:
    """Return ln 30 x (share of demonstrations predicted when left out) - 0.7 x complexity.

    None for a chain that does not fit all demonstrations: nothing is validated then. What was found
    is noted with the task, for a program that fits is proposed again and again.
    """
    if not chain.left.solved:
        return None
    known: dict[str, float] = chain.problems[0].notes.setdefault("prior", {})
    text = chain.text
    if text not in known:
        known[text] = _VALIDATED * leave_one_out(chain) - _PER_COMPLEXITY * complexity(chain.steps)
    return known[text]


def complexity(steps: tuple[Step, ...]) -> float:
    """Return 1 per step, 0.1 per slot, and 0.05 per entry of fitted tables (0.4 per feature)."""
    total = 0.0
    for step in steps:
        total += 1.0
        for value in step.slot_values:
            features = isinstance(value, tuple) and value and callable(value[0])
            total += 0.4 * len(value) if features else 0.1
        for constant in step.constants:
            total += 0.05 * min(len(constant), 60) if isinstance(constant, dict) else 0.1
    return total


def leave_one_out(chain: Chain) -> float:
    """Return the share of demonstrations predicted by constants fitted to the others."""
    if all(step.primitive.fit is None for step in chain.steps):
        return 1.0
    start = chain.problems[0]
    count = len(start.demos)
    if count < 2:
        return 0.0
    return sum(_predicts(start, chain.steps, held_out) for held_out in range(count)) / count


def _predicts(start: Problem, steps: tuple[Step, ...], held_out: int) -> bool:
    rest, grid = start.without(held_out), start.demos[held_out]
    try:
        for step in steps:
            fitted = step
            if step.primitive.fit is not None:
                constants = fit_constants(rest, step.primitive, step.slot_values)
                if constants is None:
                    return False
                fitted = Step(step.primitive, step.slot_values + constants)
            rest = rest.moved([carry_out(fitted, each) for each in rest.demos])
            grid = carry_out(fitted, grid)
    except NOT_APPLICABLE:
        return False
    target = start.targets[held_out]
    return grid.shape == target.shape and bool((grid == target).all())
