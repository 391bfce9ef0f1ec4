"""A problem: grids as they are after a prefix of a program, and the outputs they should become.

What remains to be done after a prefix is itself a task, (grids, targets), so one model and one
set of fits serve the first step and every later one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.arc import Task
from engine.policies.grammar.language import FEATURES, Feature

MAX_SIDE = 30
_PER_CELL = ("_features", "current", "wanted", "owners", "glimpse", "stacked", "notes")
_WIDEST = 4096
"""Spread of a feature's values up to which they are numbered by counting instead of sorting."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Demonstration grids with their targets, and the test grids carried along.

    All grids are read-only int64 arrays of shape (rows, columns). `demos[i]` should
    become `targets[i]`. `later` says that some step came before: such problems are many and
    short-lived, so suggestions may spend less on them.
    """

    demos: tuple[np.ndarray, ...]
    tests: tuple[np.ndarray, ...]
    targets: tuple[np.ndarray, ...]
    later: bool = False

    @property
    def grids(self) -> tuple[np.ndarray, ...]:
        """All current grids, demonstrations first."""
        return self.demos + self.tests

    @cached_property
    def key(self) -> bytes:
        """A digest of the current grids (and of whether some step came before)."""
        digest = hashlib.blake2b(bytes([self.later]), digest_size=16)
        for grid in self.grids:
            digest.update(bytes(grid.shape))
            digest.update(grid.astype(np.uint8).tobytes())
        return digest.digest()

    @cached_property
    def same_size(self) -> bool:
        """Whether every demonstration grid has its target's shape."""
        return all(g.shape == t.shape for g, t in zip(self.demos, self.targets, strict=True))

    @cached_property
    def right(self) -> tuple[bool, ...]:
        """Per demonstration, whether its target is reached."""
        return tuple(np.array_equal(g, t) for g, t in zip(self.demos, self.targets, strict=True))

    @cached_property
    def solved(self) -> bool:
        return all(self.right)

    @cached_property
    def colours(self) -> tuple[int, ...]:
        """Colours in some demonstration grid or target, ascending."""
        cells = np.concatenate([grid.ravel() for grid in self.demos + self.targets])
        return tuple(np.unique(cells).tolist())

    @cached_property
    def current(self) -> np.ndarray:
        """All demonstration cells in one vector."""
        return np.concatenate([grid.ravel() for grid in self.demos])

    @cached_property
    def wanted(self) -> np.ndarray:
        """All target cells in one vector."""
        return np.concatenate([grid.ravel() for grid in self.targets])

    @cached_property
    def owners(self) -> np.ndarray:
        """The demonstration each cell of `current` belongs to."""
        return np.repeat(np.arange(len(self.demos)), [grid.size for grid in self.demos])

    @cached_property
    def _features(self) -> dict[str, tuple[np.ndarray, np.ndarray] | None]:
        return {}

    def feature(self, feature: Feature) -> tuple[np.ndarray, np.ndarray] | None:
        """Return a feature over all demonstration cells: (its distinct values, index per cell).

        None where the feature does not apply to some grid.
        """
        name = feature.__name__
        if name not in self._features:
            values = self._values(feature)
            self._features[name] = None if values is None else _numbered(values)
        return self._features[name]

    def _values(self, feature: Feature) -> np.ndarray | None:
        """Return a feature of all demonstration cells, None where it does not apply to some grid."""
        try:
            return np.concatenate([feature(grid).ravel() for grid in self.demos])
        except (ValueError, LookupError, ArithmeticError):
            return None

    @cached_property
    def stacked(self) -> tuple[tuple[Feature, ...], np.ndarray, np.ndarray]:
        """All features that apply: themselves, how many values each has, and the indices per cell.

        Sizes are int64 of shape (features,), indices int32 of shape (features, cells).
        """
        unknown = [name for name in FEATURES if name not in self._features]
        values = {name: self._values(FEATURES[name]) for name in unknown}
        self._features.update(_numbered_together(values))
        known = [
            (each, found) for name, each in FEATURES.items() if (found := self._features[name])
        ]
        return (
            tuple(each for each, _ in known),
            np.array([len(distinct) for _, (distinct, _) in known], dtype=np.int64),
            np.array([index for _, (_, index) in known]),
        )

    @cached_property
    def notes(self) -> dict[str, Any]:
        """What a suggestion has worked out and another will ask for, by a name of its own."""
        return {}

    def forget_cells(self) -> None:
        """Give back what was worked out per cell, unless this is a task itself: it is asked most."""
        if self.later:
            for name in _PER_CELL:
                self.__dict__.pop(name, None)

    @cached_property
    def glimpse(self) -> Problem:
        """The problem with its first two demonstrations only."""
        return Problem(self.demos[:2], (), self.targets[:2], self.later)

    def without(self, held_out: int) -> Problem:
        """Return the problem with one demonstration left out."""
        keep = [i for i in range(len(self.demos)) if i != held_out]
        return Problem(
            tuple(self.demos[i] for i in keep),
            (),
            tuple(self.targets[i] for i in keep),
            self.later,
        )

    def moved(self, grids: Sequence[np.ndarray]) -> Problem:
        """Return the problem after a step, given all its new grids."""
        fixed = tuple(map(_fixed, grids))
        demos = len(self.demos)
        return Problem(fixed[:demos], fixed[demos:], self.targets, later=True)


def _fixed(grid: np.ndarray) -> np.ndarray:
    """Return a grid that nobody can change, so that what is remembered of it is found quickly."""
    fixed = grid if grid.flags.owndata else grid.copy()
    fixed.setflags(write=False)
    return fixed


def _numbered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct values, ascending, and each value's place among them (int32)."""
    least = values.min()
    spread = int(values.max() - least)
    if values.dtype.kind != "i" or spread >= _WIDEST:
        distinct, index = np.unique(values, return_inverse=True)
        return distinct, index.astype(np.int32)
    raised = values - least
    occurs = np.zeros(spread + 1, dtype=bool)
    occurs[raised] = True
    places = np.cumsum(occurs, dtype=np.int32) - 1
    return np.flatnonzero(occurs) + least, places[raised]


def _numbered_together(
    features: Mapping[str, np.ndarray | None],
) -> dict[str, tuple[np.ndarray, np.ndarray] | None]:
    """Return each feature as _numbered does, None for None; most of them in one go."""
    found: dict[str, tuple[np.ndarray, np.ndarray] | None] = dict.fromkeys(features)
    whole = {name: each for name, each in features.items() if each is not None}
    names = [name for name, each in whole.items() if each.dtype == np.int64]
    if names:
        rows = np.array([whole[name] for name in names])
        least, most = rows.min(axis=1), rows.max(axis=1)
        narrow = most - least < _WIDEST
        names = [name for name, fits in zip(names, narrow.tolist(), strict=True) if fits]
        rows, least, widths = rows[narrow], least[narrow], (most - least)[narrow] + 1
        ends = np.cumsum(widths)
        starts = ends - widths
        rows += (starts - least)[:, None]
        occurs = np.zeros(widths.sum(), dtype=bool)
        occurs[rows] = True
        places = np.cumsum(occurs, dtype=np.int32)
        indices = places[rows] - places[starts, None]  # the least value of a row occurs in it
        for row, name in enumerate(names):
            distinct = np.flatnonzero(occurs[starts[row] : ends[row]]) + least[row]
            found[name] = distinct, indices[row]
    for name in whole.keys() - set(names):
        found[name] = _numbered(whole[name])
    return found


def problem_of(task: Task) -> Problem:
    """Return a task as the problem before any step."""
    return Problem(
        tuple(_fixed(pair.input.astype(np.int64)) for pair in task.train),
        tuple(_fixed(grid.astype(np.int64)) for grid in task.test),
        tuple(_fixed(pair.output.astype(np.int64)) for pair in task.train),
    )
