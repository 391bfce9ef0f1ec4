"""Programs to time the sandbox with: what a language model writes for ARC, and what goes wrong.

Our own corpus: eight kinds of program of 0.5 to 2 kB, numpy and plain Python about half and half,
with parameters drawn from a seed; each comes with five grids of ARC's usual sizes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Rows = list[list[int]]
Kind = Literal["ordinary", "error", "loop", "bomb"]


@dataclass(frozen=True)
class Case:
    """One program, its kind, and which grid set it runs on."""

    source: str
    kind: Kind
    grid_set: int


KINDS = [
    '''
import numpy as np
from collections import deque

BACKGROUND = {a}

def neighbours(y, x, height, width):
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        if 0 <= y + dy < height and 0 <= x + dx < width:
            yield y + dy, x + dx

def components(grid):
    """Connected parts of one colour, as lists of cells."""
    height, width = len(grid), len(grid[0])
    seen, found = set(), []
    for y in range(height):
        for x in range(width):
            if (y, x) in seen or grid[y][x] == BACKGROUND:
                continue
            part, todo = [], deque([(y, x)])
            seen.add((y, x))
            while todo:
                cell = todo.popleft()
                part.append(cell)
                for other in neighbours(*cell, height, width):
                    if other not in seen and grid[other[0]][other[1]] == grid[y][x]:
                        seen.add(other)
                        todo.append(other)
            found.append(part)
    return found

def transform(grid):
    result = [row[:] for row in grid]
    for part in components(grid):
        if len(part) > {n}:
            for y, x in part:
                result[y][x] = {b}
    return result
''',
    '''
import numpy as np

def transform(grid: list[list[int]]) -> list[list[int]]:
    """Crop to what is there, mirror it, and give it a border."""
    array = np.array(grid)
    ys, xs = np.where(array != {a})
    if len(ys) == 0:
        return grid
    part = array[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    mirrored = np.rot90(np.fliplr(part), {n} % 4)
    framed = np.pad(mirrored, 1, mode="constant", constant_values={b})
    return framed[:30, :30].tolist()
''',
    """
import numpy as np

def fall(column):
    stones = [c for c in column if c != {a}]
    return [{a}] * (len(column) - len(stones)) + stones

def transform(grid):
    array = np.array(grid)
    result = np.zeros_like(array)
    for x in range(array.shape[1]):
        result[:, x] = fall(array[:, x].tolist())
    values, counts = np.unique(array, return_counts=True)
    top = values[np.argmax(counts)]
    result[result == top] = {b}
    for shift in range({n} % 5):
        result = np.roll(result, 1, axis=shift % 2)
    return result.tolist()
""",
    """
from collections import Counter

def transform(grid):
    counts = Counter(cell for row in grid for cell in row)
    order = [colour for colour, _ in counts.most_common()]
    renamed = {{colour: order[(i + {n}) % len(order)] for i, colour in enumerate(order)}}
    result = []
    for y, row in enumerate(grid):
        line = []
        for x, cell in enumerate(row):
            if cell == {a} and (x + y) % 2 == 0:
                line.append({b})
            else:
                line.append(renamed[cell])
        result.append(line)
    return result
""",
    '''
def symmetric(grid):
    return all(row == row[::-1] for row in grid)

def transpose(grid):
    return [list(column) for column in zip(*grid)]

def transform(grid):
    """Complete the picture to a symmetric one."""
    height, width = len(grid), len(grid[0])
    result = [row[:] for row in grid]
    for turn in range(2):
        for y in range(len(result)):
            for x in range(len(result[0])):
                other = len(result[0]) - 1 - x
                if result[y][x] == {a} and result[y][other] != {a}:
                    result[y][x] = result[y][other]
        result = transpose(result)
    if symmetric(result) and {n} % 2:
        result[0][0] = {b}
    return result
''',
    """
import numpy as np

def rays(array, y, x):
    for dy, dx in [(-1, 0), (1, 0), (0, -1), (0, 1)]:
        cy, cx = y + dy, x + dx
        while 0 <= cy < array.shape[0] and 0 <= cx < array.shape[1]:
            if array[cy, cx] != {a}:
                break
            yield cy, cx
            cy, cx = cy + dy, cx + dx

def transform(grid):
    array = np.array(grid, dtype=int)
    result = array.copy()
    seeds = list(zip(*np.nonzero(array == {b})))[: {n}]
    for y, x in seeds:
        for cy, cx in rays(array, y, x):
            result[cy, cx] = {b}
    return result.tolist()
""",
    """
import numpy as np

def transform(grid):
    g = np.array(grid)
    h, w = g.shape
    k = max(1, min(30 // h, 30 // w, {n} % 3 + 1))
    big = np.kron(g, np.ones((k, k), dtype=g.dtype))
    mask = (big == {a}) & (np.indices(big.shape).sum(axis=0) % 2 == 0)
    big[mask] = {b}
    return np.vstack([big[: h * k // 2], np.flipud(big)[h * k // 2 :]]).tolist()
""",
    """
import numpy as np
from itertools import product

def window(array, y, x):
    part = array[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
    return int((part != {a}).sum())

def transform(grid):
    array = np.asarray(grid)
    result = array.copy()
    for y, x in product(range(min(array.shape[0], 8)), range(min(array.shape[1], 8))):
        if window(array, y, x) > {n} % 7:
            result[y, x] = {b}
    return result.tolist()
""",
]
ERRORS = [
    ("    return ", "    return grid[100] or "),
    ("    return ", "    return undefined_name or "),
    ("def transform", "def transform_("),
    ("    return ", "    return 1 / 0 or "),
    ("    return ", "    return [[1, 2], [3]] or "),
]
LOOPS = [
    "def transform(grid):\n    x = 0\n    while x < 1:\n        x *= 2\n    return grid\n",
    "def transform(grid):\n    todo = [(0, 0)]\n    for cell in todo:\n"
    "        if len(todo) < 1000: todo.append(cell)\n        else: todo = [cell]\n"
    "    while todo: todo = todo[:]\n    return grid\n",
    "import numpy as np\ndef transform(grid):\n    a = np.array(grid)\n"
    "    while not (a == 99).any():\n        a = np.roll(a, 1)\n    return a.tolist()\n",
]
BOMBS = [
    "def transform(grid):\n    while True:\n        grid = grid + grid\n    return grid\n",
    "import numpy as np\ndef transform(grid):\n    a = np.array(grid)\n"
    "    while True:\n        a = np.tile(a, (2, 2))\n    return a.tolist()\n",
]


def grid_sets(number: int, seed: int = 1) -> list[list[Rows]]:
    """Return sets of five grids, sides 5 to 20, mostly background."""
    rng = random.Random(seed)

    def grid() -> Rows:
        height, width = rng.randint(5, 20), rng.randint(5, 20)
        return [
            [rng.choice([0, 0, 0, 0, 0, 1, 2, 3, 5, 8]) for _ in range(width)]
            for _ in range(height)
        ]

    return [[grid() for _ in range(5)] for _ in range(number)]


def programs(
    number: int, *, errors: float = 0, loops: float = 0, bombs: float = 0, seed: int = 2
) -> list[Case]:
    """Return distinct programs in random order, with these shares of what goes wrong."""
    rng = random.Random(seed)
    counts = {"error": errors, "loop": loops, "bomb": bombs}
    kinds = [kind for kind, share in counts.items() for _ in range(round(share * number))]
    kinds += ["ordinary"] * (number - len(kinds))
    rng.shuffle(kinds)
    cases = []
    for index, kind in enumerate(kinds):
        if kind == "loop":
            source = LOOPS[index % len(LOOPS)]
        elif kind == "bomb":
            source = BOMBS[index % len(BOMBS)]
        else:
            a, b, n = rng.randrange(3), rng.randrange(1, 10), rng.randrange(2, 12)
            source = rng.choice(KINDS).format(a=a, b=b, n=n)
        if kind == "error":
            source = source.replace(*rng.choice(ERRORS))
        cases.append(Case(f"# program {index}\n{source}", kind, rng.randrange(40)))  # type: ignore[arg-type] # one of Kind
    return cases
