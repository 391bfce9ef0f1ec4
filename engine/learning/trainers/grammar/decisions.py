"""Decisions: what a training example says a model should have chosen, step by step.

An example's task and program are replayed: before each step stand the traits of what remained to
be done, and the step itself names a primitive and the values of its slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.learning.example import Example, Origin
from engine.policies.grammar.bench import NOT_APPLICABLE, carry_out
from engine.policies.grammar.checkpoint import slot_name, value_name
from engine.policies.grammar.language import Primitive, Step
from engine.policies.grammar.model import EDITS
from engine.policies.grammar.problem import Problem, problem_of
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


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions as one table, a row each; see Decision for its columns."""

    inputs: NDArray[np.float32]
    vectors: NDArray[np.float32]
    parts: NDArray[np.float32]
    primitives: tuple[str, ...]
    slots: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.primitives)


def table(found: Sequence[Decision]) -> Decisions:
    """Return decisions as one table."""
    return Decisions(
        np.array([decision.inputs for decision in found], dtype=np.float32),
        np.array([decision.vector for decision in found], dtype=np.float32),
        np.array([decision.parts for decision in found], dtype=np.float32),
        tuple(decision.primitive for decision in found),
        tuple(decision.slots for decision in found),
        np.array([decision.weight for decision in found]),
    )


def joined(tables: Iterable[Decisions]) -> Decisions:
    """Return several tables, one below the other; no rows of no tables."""
    filled = [each for each in tables if len(each)]
    if not filled:
        return table([])
    return Decisions(
        np.concatenate([each.inputs for each in filled]),
        np.concatenate([each.vectors for each in filled]),
        np.concatenate([each.parts for each in filled]),
        tuple(chain.from_iterable(each.primitives for each in filled)),
        tuple(chain.from_iterable(each.slots for each in filled)),
        np.concatenate([each.weights for each in filled]),
    )


def edit_counts(examples: Iterable[Example]) -> Counter[str]:
    """Count which of EDITS the repairs among examples made."""
    counts: Counter[str] = Counter()
    for example in examples:
        if example.parent is None or example.parent.source is None:
            continue
        before, after = parse(example.parent.source), parse(example.source)
        if before and after:
            counts[edit_between(before, after)] += 1
    return counts


def edit_shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each of EDITS, one added to each count."""
    total = sum(counts.values()) + len(EDITS)
    return {edit: (counts.get(edit, 0) + 1) / total for edit in EDITS}


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


@dataclass(frozen=True, slots=True)
class _State:
    """A problem, with the traits and roles that a choice made there looks at."""

    problem: Problem
    vector: NDArray[np.float32]
    parts: NDArray[np.float32]


def _state(problem: Problem) -> _State:
    return _State(problem, traits(problem), roles(problem))


def _of_task(examples: list[Example]) -> Iterator[Decision]:
    chains = [(example, parse(example.source)) for example in examples]
    many = Counter(example.origin for example, steps in chains if steps is not None)
    # Correct programs and repairs answer one and the same task, and many begin alike.
    shared: dict[tuple[str, ...], _State | None] = {}
    for example, steps in chains:
        if steps is not None:
            weight = ORIGIN_WEIGHTS[example.origin] / many[example.origin]
            seen = {} if example.origin == "hindsight" else shared
            yield from _of_example(example, steps, weight, seen)


def _of_example(
    example: Example,
    steps: tuple[Step, ...],
    weight: float,
    seen: dict[tuple[str, ...], _State | None],
) -> Iterator[Decision]:
    """Yield an example's decisions; `seen` holds states of its task by the steps that led there.

    A state is None where the last of those steps does not apply.
    """
    taken: tuple[str, ...] = ()
    if taken not in seen:
        seen[taken] = _state(problem_of(example.task))
    previous: Primitive | None = None
    for depth, step in enumerate(steps):
        state = seen[taken]
        if state is None:
            return
        yield Decision(
            step_inputs(state.vector, previous, depth),
            state.vector,
            state.parts,
            step.primitive.name,
            tuple(
                (slot_name(step.primitive, place), _names(value))
                for place, value in enumerate(step.slot_values)
            ),
            weight,
        )
        taken = (*taken, step.text)
        if depth + 1 < len(steps) and taken not in seen:
            try:
                moved = [carry_out(step, grid) for grid in state.problem.grids]
                seen[taken] = _state(state.problem.moved(moved))
            except NOT_APPLICABLE:
                seen[taken] = None
        previous = step.primitive


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, tuple) and value and all(callable(item) for item in value):
        return tuple(value_name(item) for item in value)
    return (value_name(value),)
