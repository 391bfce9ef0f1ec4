"""What all demonstrations of a task have in common, and how much of it an answer breaks.

A program that is right on every demonstration may still be wrong in kind: its answer has a shape, or
colours, that no answer of the task should have. SOAR's vote does not look at that; ours may.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from engine.arc import Task, pack
from engine.archive.packing import packed_grids

COST: Final = 4.0
"""ln of what a broken invariant divides a weight by; 3 to 6 were worth the same on arc1-train."""

Shape: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Invariants:
    """What the outputs of a task's test inputs should be like; one entry per test input.

    `shapes` are their rows and columns (None: the demonstrations follow no rule of `_shapes`);
    `allowed` the colours they may have: their input's, and those that come up in some
    demonstration; `wanted` those that they must have: their input's, where no demonstration loses
    one. `fewest` and `most` are how many colours the demonstrations' outputs have.
    """

    shapes: tuple[Shape | None, ...]
    allowed: tuple[frozenset[int], ...]
    wanted: tuple[frozenset[int], ...]
    fewest: int
    most: int


def invariants_of(task: Task) -> Invariants:
    """Return what a task's demonstrations have in common; its truth is not looked at."""
    pairs = [(pack(pair.input), pack(pair.output)) for pair in task.train]
    tests = [pack(grid) for grid in task.test]
    coming = frozenset[int]().union(*(_colours(o) - _colours(i) for i, o in pairs))
    loses = any(_colours(i) - _colours(o) for i, o in pairs)
    numbers = [len(_colours(o)) for _, o in pairs]
    return Invariants(
        shapes=tuple(_shapes([(_shape(i), _shape(o)) for i, o in pairs], list(map(_shape, tests)))),
        allowed=tuple(_colours(test) | coming for test in tests),
        wanted=tuple(frozenset() if loses else _colours(test) for test in tests),
        fewest=min(numbers),
        most=max(numbers),
    )


def broken(invariants: Invariants, pattern: bytes) -> float:
    """Return how many of the four invariants a pattern breaks, the mean over test inputs.

    `pattern` is the joint packed outputs for all test inputs. The four: shape, no colour too many,
    none too few, and as many as the demonstrations' outputs have.
    """
    count = 0
    outputs = packed_grids(pattern)
    for output, shape, allowed, wanted in zip(
        outputs, invariants.shapes, invariants.allowed, invariants.wanted, strict=True
    ):
        colours = _colours(output)
        count += shape is not None and _shape(output) != shape
        count += not colours <= allowed
        count += not wanted <= colours
        count += not invariants.fewest <= len(colours) <= invariants.most
    return count / len(outputs)


def kept(invariants: Invariants, pattern: bytes) -> float:
    """Return exp(-COST · broken): 1 for a pattern that keeps every invariant."""
    return math.exp(-COST * broken(invariants, pattern))


def _shapes(pairs: Sequence[tuple[Shape, Shape]], tests: Sequence[Shape]) -> list[Shape | None]:
    """Return the shape that each test's output should have, by the first rule that all pairs keep.

    The rules: the input's shape, one shape for all, a fixed multiple of the input's.
    """
    if all(given == output for given, output in pairs):
        return list(tests)
    if len({output for _, output in pairs}) == 1:
        return [pairs[0][1]] * len(tests)
    ratios = {tuple(map(Fraction, output, given)) for given, output in pairs}
    if len(ratios) > 1:
        return [None] * len(tests)
    down, across = ratios.pop()
    return [_whole(rows * down, columns * across) for rows, columns in tests]


def _whole(rows: Fraction, columns: Fraction) -> Shape | None:
    if rows.denominator > 1 or columns.denominator > 1:
        return None
    return int(rows), int(columns)


def _shape(packed: bytes) -> Shape:
    return packed[0], packed[1]


def _colours(packed: bytes) -> frozenset[int]:
    return frozenset(packed[2:])
