"""The five named filters that keep a program out of votes, arms and training (SOAR §4).

Each filter is a function of a task, a program's source and its results (one per input of the
task, demonstrations first) that says whether it fires. None of them reads the task's truth;
`constant` and `identity` never fire on a program that is right on every demonstration.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

import numpy as np

from engine.arc.grid import COLOURS, pack
from engine.arc.task import Task
from engine.programs.candidate import FilterName, Result

NEAR = 0.01
"""Two grids of one shape are near-identical when at most this share of their cells differ."""

IDENTITY_SHARE = 0.3
"""The share of unchanged inputs that is always allowed."""

LINE_LIMIT = 200
"""Characters in a line of source above which it must be a table of answers."""

SMALLEST_TABLE = 9
"""Cells of the smallest grid whose text in the source counts as a hard-coded answer."""


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """What filters and scoring need of a task, worked out once: its grids in packed form.

    `inputs` are those of the demonstrations and then the tests; `unchanged` is the share of
    demonstrations whose output is their input; `alike` whether the outputs are near-identical;
    `blank` whether one of them is all zero.
    """

    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    unchanged: float
    alike: bool
    blank: bool


@lru_cache(maxsize=1024)
def demonstrations(task: Task) -> Demonstrations:
    """Return the task's packed grids and what the filters ask of them; remembered by identity."""
    inputs = tuple(pack(grid) for grid in task.inputs)
    outputs = tuple(pack(pair.output) for pair in task.train)
    return Demonstrations(
        inputs,
        outputs,
        _share_equal(inputs, outputs),
        near_identical(outputs),
        any(is_blank(output) for output in outputs),
    )


def first_filter(task: Task, source: str, results: tuple[Result, ...]) -> FilterName | None:
    """Return the first filter that fires, in the order of FILTERS, or None."""
    for name, fires in FILTERS.items():
        if fires(task, source, results):
            return name
    return None


def invalid(task: Task, source: str, results: tuple[Result, ...]) -> bool:
    """No valid output on some input (SOAR §4 *invalid*)."""
    return any(not isinstance(result, bytes) for result in results)


def blank(task: Task, source: str, results: tuple[Result, ...]) -> bool:
    """All test outputs are all zero while no demonstration output is (SOAR §4 *blank*)."""
    tests = results[len(task.train) :]
    if not all(isinstance(result, bytes) and is_blank(result) for result in tests):
        return False
    return not demonstrations(task).blank


def constant(task: Task, source: str, results: tuple[Result, ...]) -> bool:
    """Predicted demonstration outputs are near-identical, the true ones are not (SOAR §4).

    Near-identical: every two of them have the same shape and differ in at most NEAR of their
    cells, so grids of fewer than 100 cells must be equal.
    """
    predicted = tuple(r for r in results[: len(task.train)] if isinstance(r, bytes))
    if len(predicted) < len(task.train):
        return False
    return near_identical(predicted) and not demonstrations(task).alike


def identity(task: Task, source: str, results: tuple[Result, ...]) -> bool:
    """More outputs equal their inputs than may (SOAR §4 *identity*).

    The share of demonstrations left unchanged exceeds both IDENTITY_SHARE and the true share.
    """
    known = demonstrations(task)
    share = _share_equal(known.inputs, results[: len(task.train)])
    return share > max(IDENTITY_SHARE, known.unchanged)


def transduction(task: Task, source: str, results: tuple[Result, ...]) -> bool:
    """Hard-coded outputs in the source (SOAR §4 *transduction*).

    The source has a line of more than LINE_LIMIT characters, or holds the text of a produced
    grid of at least SMALLEST_TABLE cells, as nested lists or tuples or as numpy prints it, however
    spaced.
    """
    if len(source) > LINE_LIMIT and max(map(len, source.splitlines())) > LINE_LIMIT:
        return True
    tables = _tables(source)
    if not tables:
        return False
    return any(
        isinstance(result, bytes)
        and len(result) >= 2 + SMALLEST_TABLE
        and any(text in tables for text in _texts(result))
        for result in results
    )


_Filter: TypeAlias = Callable[[Task, str, tuple[Result, ...]], bool]

FILTERS: dict[FilterName, _Filter] = {
    "invalid": invalid,
    "blank": blank,
    "constant": constant,
    "identity": identity,
    "transduction": transduction,
}
"""Every filter by name, in the order they are asked."""


def is_blank(packed: bytes) -> bool:
    """Whether all cells of a packed grid are zero."""
    return packed.count(0, 2) == len(packed) - 2


def near_identical(grids: tuple[bytes, ...]) -> bool:
    """Whether every two packed grids have one shape and differ in at most NEAR of their cells."""
    if len(set(grids)) == 1:
        return True
    if len({grid[:2] for grid in grids}) > 1:
        return False
    cells = len(grids[0]) - 2
    if cells * NEAR < 1:
        return False
    arrays = [np.frombuffer(grid, np.uint8) for grid in grids]
    return all(np.count_nonzero(a != b) <= cells * NEAR for a, b in combinations(arrays, 2))


def _share_equal(inputs: tuple[bytes, ...], outputs: tuple[Result, ...]) -> float:
    equal = sum(given == output for given, output in zip(inputs, outputs, strict=False))
    return equal / len(outputs)


_LITERAL = re.compile(rb"\[\[[0-9,\[\]]*+")
_SHORTEST_LITERAL = SMALLEST_TABLE + len("[[]]")
_WHITESPACE = b" \t\n\r\f\v"
# Brackets of tuples read as those of lists.
_BRACKETS = bytes.maketrans(b"()", b"[]")
_DIGITS = bytes.maketrans(bytes(range(COLOURS)), b"0123456789")


def _tables(source: str) -> bytes:
    """Return the source's literal tables of digits, brackets and commas, without whitespace."""
    # Bytes, because their translate takes 2 µs for a program where that of str takes 80.
    text = source.encode("utf-8", "replace").translate(_BRACKETS, _WHITESPACE)
    text = text.replace(b"\\n", b"")  # the line ends of a grid printed inside a string
    literals = [found for found in _LITERAL.findall(text) if len(found) >= _SHORTEST_LITERAL]
    return b" ".join(literals).replace(b",]", b"]")


def _texts(packed: bytes) -> tuple[bytes, bytes]:
    """Return a packed grid's text as nested lists and as numpy prints it, without whitespace."""
    columns, digits = packed[1], packed[2:].translate(_DIGITS).decode("ascii")
    rows = [digits[start : start + columns] for start in range(0, len(digits), columns)]
    nested = "],[".join(map(",".join, rows))
    return f"[[{nested}]]".encode(), f"[[{']['.join(rows)}]]".encode()
