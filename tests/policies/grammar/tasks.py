"""Small tasks made up for the tests."""

from random import Random

import numpy as np

from engine.arc import Grid, Pair, Task, as_grid
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


def random_task(rng: Random) -> Task:
    """Two pairs and a test input of random structure, the outputs unrelated to any rule."""

    def grid(rows: int, columns: int) -> Grid:
        colours = [0, 0, 0, *rng.sample(range(1, 10), rng.randint(1, 3))]
        cells = np.array([[rng.choice(colours) for _ in range(columns)] for _ in range(rows)])
        if rng.random() < 0.3:
            cells[rng.randrange(rows)] = rng.choice(colours)
        if rng.random() < 0.3:
            cells = np.kron(cells[: rows // 2 + 1, : columns // 2 + 1], np.ones((2, 2), int))
        return as_grid(cells)

    def size() -> tuple[int, int]:
        return rng.randint(1, 9), rng.randint(1, 9)

    inputs = [grid(*size()) for _ in range(3)]
    same = rng.random() < 0.6
    pairs = tuple(Pair(g, grid(*(g.shape if same else size()))) for g in inputs[:2])
    return Task("random", pairs, (inputs[2],))


TASKS = (RECOLOUR, TILE, SYMMETRY)
