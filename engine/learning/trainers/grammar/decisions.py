"""Decisions: what a training example says a model should have chosen, step by step.

An example's task and program are replayed: before each step stand the traits of what remained to
be done, and the step itself names a primitive and the values of its slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.learning.example import Example, Origin
from engine.policies.grammar.bench import NOT_APPLICABLE, carry_out
from engine.policies.grammar.checkpoint import slot_name, value_name
from engine.policies.grammar.language import Primitive, Step
from engine.policies.grammar.model import EDITS
from engine.policies.grammar.problem import problem_of
from engine.policies.grammar.source import parse
from engine.policies.grammar.trained import step_inputs
from engine.policies.grammar.traits import roles, traits

ORIGIN_WEIGHTS: dict[Origin, float] = {"correct": 1.0, "hindsight": 0.3, "repair": 1.0}
"""What all examples of one origin weigh together in a task; correct programs outweigh the others."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One step as it should have been chosen.

    `inputs` is what the choice of the primitive looks at (step_inputs), `vector` and `parts` the
    traits and roles its slots look at. `slots` holds (slot_name, value names), several names
    for a slot that draws several.
    """

    inputs: NDArray[np.float32]
    vector: NDArray[np.float32]
    parts: NDArray[np.float32]
    primitive: str
    slots: tuple[tuple[str, tuple[str, ...]], ...]
    weight: float


def decisions(examples: Iterable[Example]) -> Iterator[Decision]:
    """Yield the decisions of examples; those of one task (consecutive) share its weight.

    A program that is not of this language, or no longer does what its example says, is left out.
    """
    together: list[Example] = []
    for example in examples:
        if together and together[0].task.id != example.task.id:
            yield from _of_task(together)
            together = []
        together.append(example)
    yield from _of_task(together)


def edit_shares(examples: Iterable[Example]) -> dict[str, float]:
    """Return the share of each of EDITS among repairs, one added to each count."""
    counts = Counter(dict.fromkeys(EDITS, 1))
    for example in examples:
        if example.parent is None or example.parent.source is None:
            continue
        before, after = parse(example.parent.source), parse(example.source)
        if before and after:
            counts[edit_between(before, after)] += 1
    total = sum(counts.values())
    return {edit: counts[edit] / total for edit in EDITS}


def edit_between(before: tuple[Step, ...], after: tuple[Step, ...]) -> str:
    """Return the edit that leads from one chain to another.

    Told by what stands at the first step that differs. The steps behind it were fitted anew and
    may end early, where the demonstrations were fitted before all were carried out.
    """
    place = 0
    while place < min(len(before), len(after)) and before[place].text == after[place].text:
        place += 1
    old, new = ([step.primitive.name for step in chain[place:]] for chain in (before, after))
    if not old:
        return "append"
    if not new or new == old[1 : len(new) + 1]:
        return "delete"
    if new[0] == old[0]:
        return "reparameterise"
    return "insert" if len(new) > 1 and new[1:] == old[: len(new) - 1] else "replace"


def _of_task(examples: list[Example]) -> Iterator[Decision]:
    many = Counter(example.origin for example in examples)
    for example in examples:
        weight = ORIGIN_WEIGHTS[example.origin] / many[example.origin]
        yield from _of_example(example, weight)


def _of_example(example: Example, weight: float) -> Iterator[Decision]:
    problem = problem_of(example.task)
    steps = parse(example.source)
    if steps is None:
        return
    previous: Primitive | None = None
    for depth, step in enumerate(steps):
        vector, parts = traits(problem), roles(problem)
        yield Decision(
            step_inputs(vector, previous, depth),
            vector,
            parts,
            step.primitive.name,
            tuple(
                (slot_name(step.primitive, place), _names(value))
                for place, value in enumerate(step.slot_values)
            ),
            weight,
        )
        try:
            problem = problem.moved([carry_out(step, grid) for grid in problem.grids])
        except NOT_APPLICABLE:
            return
        previous = step.primitive


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, tuple) and value and all(callable(item) for item in value):
        return tuple(value_name(item) for item in value)
    return (value_name(value),)
