"""Small tasks made up for the tests."""

import numpy as np

from engine.arc import Pair, Task, as_grid
from engine.programs.candidate import Candidate


def made_up(name: str, rule: str, inputs: list[list[list[int]]]) -> Task:
    grids = [np.array(grid) for grid in inputs]
    scope = {"np": np}
    outputs = [as_grid(eval(rule, {**scope, "g": grid})) for grid in grids]  # the test's own text
    pairs = tuple(Pair(as_grid(g), out) for g, out in zip(grids[:-1], outputs[:-1], strict=True))
    return Task(name, pairs, (as_grid(grids[-1]),))


RECOLOUR = made_up(
    "recolour",
    "np.where(g == 3, 5, g)",
    [[[0, 3, 0], [3, 3, 1], [0, 0, 2]], [[3, 0], [0, 1]], [[0, 0, 3, 2]], [[3, 3], [2, 1]]],
)
TILE = made_up(
    "tile",
    "np.tile(g, (2, 2))",
    [[[1, 2], [0, 3]], [[4, 0, 0]], [[5, 5], [0, 5]]],
)
SYMMETRY = made_up(
    "symmetry",
    "np.where(g == 0, g[:, ::-1], g)",
    [[[1, 2, 0, 0], [3, 0, 0, 0]], [[4, 0, 0], [0, 2, 0]], [[5, 1, 0, 0, 0], [0, 5, 0, 0, 0]]],
)


def candidate(source: str | None) -> Candidate:
    return Candidate(1, "sample", 0, 0, None, source, None)
