"""The language's own words: what a primitive, a slot and a step are, and the registry of them.

A primitive is one grid -> grid function. Its first arguments after the grid are its *slots*,
drawn from a model; the rest are *constants*, fitted from demonstrations. What a primitive module
defines at its top level (functions and plain constants) is also what an emitted program is made
of: see `source`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from engine.policies.grammar.problem import Problem

Grid: TypeAlias = np.ndarray
Feature: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""One integer per cell: grid -> array of the grid's shape."""
Value: TypeAlias = Any
"""An argument: a literal (int, str, bool, tuple, dict), a feature, or a tuple of features."""
Values: TypeAlias = tuple[Value, ...]
Fit: TypeAlias = "Callable[[Problem, Values], Values | None]"
"""(problem, slot values) -> constants, or None when the demonstrations allow none. Pure."""
Suggest: TypeAlias = "Callable[[Problem, Values], Sequence[Values]]"
"""(problem, drawn slot values) -> slot values that serve the demonstrations best. Pure."""
Applies: TypeAlias = "Callable[[Problem], bool]"
SizeEffect: TypeAlias = Literal["keeps", "changes", "either"]
SlotKind: TypeAlias = Literal["choice", "colour", "feature", "source", "features"]

PRIMITIVES: dict[str, Primitive] = {}
"""Every primitive by its function's name, in the order of registration."""
FEATURES: dict[str, Feature] = {}
"""Features a pixel table may look at, by name."""
SOURCES: dict[str, Feature] = {}
"""Features whose values are colours, so that a pixel table may copy from them."""


@dataclass(frozen=True)
class Slot:
    """One argument that a model chooses.

    `choice` draws one of `values`; `colour` a colour 0..9; `feature` and `source` one registered
    feature; `features` a tuple of different ones, as many as one of `counts` says.
    """

    kind: SlotKind
    choices: Values = ()
    counts: tuple[int, ...] = (1,)

    @cached_property
    def values(self) -> Values:
        """What one draw chooses from, in a fixed order."""
        if self.kind == "colour":
            return tuple(range(10))
        if self.kind == "source":
            return tuple(SOURCES.values())
        if self.kind in ("feature", "features"):
            return tuple(FEATURES.values())
        return self.choices


COLOUR = Slot("colour")
SOURCE = Slot("source")


def choice(*values: Value) -> Slot:
    """Make a slot that draws one of the given literals."""
    return Slot("choice", values)


def features(*counts: int) -> Slot:
    """Make a slot that draws a tuple of different features, as many as one of `counts`."""
    return Slot("features", counts=counts)


def always(_: Problem) -> bool:
    """Apply to every problem."""
    return True


@dataclass(frozen=True, eq=False)
class Primitive:
    """One kind of step.

    `size` says whether its output has the input's shape; `weight` is its share under the
    untrained model; `fit` gives the arguments after the slots; `suggest` replaces drawn slot
    values by ones that serve the demonstrations; `family` is the subject module's name.
    """

    function: Callable[..., np.ndarray]
    slots: tuple[Slot, ...]
    family: str
    size: SizeEffect = "keeps"
    weight: float = 1.0
    applies: Applies = always
    fit: Fit | None = None
    suggest: Suggest | None = None

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(frozen=True, eq=False)
class Step:
    """One call in a program: a primitive with all its arguments (slots, then constants)."""

    primitive: Primitive
    arguments: Values

    @property
    def slot_values(self) -> Values:
        return self.arguments[: len(self.primitive.slots)]

    @property
    def constants(self) -> Values:
        return self.arguments[len(self.primitive.slots) :]

    @cached_property
    def text(self) -> str:
        """The step's line in a program; two steps are the same exactly when their texts are."""
        from engine.policies.grammar.source import step_text

        return step_text(self)


Function = TypeVar("Function", bound=Callable[..., np.ndarray])


def primitive(
    *slots: Slot,
    size: SizeEffect = "keeps",
    weight: float = 1.0,
    applies: Applies = always,
    fit: Fit | None = None,
    suggest: Suggest | None = None,
) -> Callable[[Function], Function]:
    """Register a grid -> grid function as a primitive of the language."""

    def register(function: Function) -> Function:
        family = function.__module__.rpartition(".")[2]
        PRIMITIVES[_fresh(function, PRIMITIVES)] = Primitive(
            function, slots, family, size, weight, applies, fit, suggest
        )
        return function

    return register


def feature(function: Feature) -> Feature:
    """Register a pixel feature; its value for a grid is remembered."""
    remembered = remember(function)
    FEATURES[_fresh(function, FEATURES)] = remembered
    return remembered


def colour_source(function: Feature) -> Feature:
    """Register a pixel feature whose values are colours."""
    remembered = feature(function)
    SOURCES[function.__name__] = remembered
    return remembered


def _fresh(function: Callable[..., Any], registry: dict[str, Any]) -> str:
    name = function.__name__
    if name in registry:
        raise ValueError(f"two functions of the language are called {name}")
    return name


Result = TypeVar("Result")
_Results: TypeAlias = dict[tuple[Any, ...], Any]
"""What is known of one grid: (function, other arguments) -> result."""
_MEMORY_CELLS = 4_000_000
"""Array cells each of the memory's two generations holds (32 MB)."""
_RESULT_CELLS = 50
"""What a result costs besides the cells of an array."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Stands for the ValueError a function raised."""

    text: str


class _Memory:
    """Results by the contents of a grid; grids not asked about for long are forgotten."""

    def __init__(self) -> None:
        self._young: dict[tuple[Any, ...], _Results] = {}
        self._old: dict[tuple[Any, ...], _Results] = {}
        self._fixed: dict[int, tuple[np.ndarray, _Results]] = {}
        self._cells = 0

    def of(self, grid: np.ndarray) -> _Results:
        """Return what is known of a grid, to be looked into and added to."""
        fixed = self._fixed.get(id(grid))
        if fixed is not None:
            return fixed[1]
        content = (grid.shape, grid.tobytes())
        results = self._young.get(content)
        if results is None:
            results = self._young[content] = self._old.pop(content, {})
            self._cells += sum(map(_cells, results.values()))
        # Only such a grid can be told by its identity: nobody can change it later.
        if not grid.flags.writeable and grid.flags.owndata:
            self._fixed[id(grid)] = grid, results
        return results

    def add(self, results: _Results, key: tuple[Any, ...], result: object) -> None:
        """Keep a result, and make room where there are too many."""
        results[key] = result
        self._cells += _cells(result)
        if self._cells > _MEMORY_CELLS:
            self._old, self._young, self._cells = self._young, {}, 0
            self._fixed.clear()


def _cells(result: object) -> int:
    return _RESULT_CELLS + (result.size if isinstance(result, np.ndarray) else 0)


_memory = _Memory()


def remember(function: Callable[..., Result]) -> Callable[..., Result]:
    """Keep a grid function's results, so that chains with a common prefix share the work.

    Only in this process: an emitted program holds the bare function. Arrays that are kept are
    read-only; the memory is bounded by a count of cells. A ValueError is kept as well.
    """

    def recalled(grid: np.ndarray, *arguments: Value) -> Result:
        results = _memory.of(grid)
        key = (function, *arguments)
        result: Result | _Refusal | None = results.get(key)
        if result is None:
            try:
                result = function(grid, *arguments)
            except ValueError as error:
                if type(error) is ValueError:
                    _memory.add(results, key, _Refusal(str(error)))
                raise
            if isinstance(result, np.ndarray):
                result.setflags(write=False)
            _memory.add(results, key, result)
        elif type(result) is _Refusal:
            raise ValueError(result.text)
        return cast(Result, result)

    update_wrapper(recalled, function)
    return recalled
