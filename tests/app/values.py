"""Values to show in tests: drawn from a fixed seed, hostile where a stranger could be."""

import numpy as np

from engine.arc import Pair, as_grid
from engine.archive.rows import CandidateRow
from engine.programs.candidate import Failure, candidate_id
from soar_tui.widgets.arm_table import Arm
from soar_tui.widgets.chain_tree import ChainNode
from soar_tui.widgets.filmstrip import Film, Frame
from soar_tui.widgets.grid_pair import PairRow, Produced
from soar_tui.widgets.task_wall import WallTask
from soar_tui.widgets.vote_bars import Pattern

HOSTILE = "\x1b[31mred\x1b]52;c;aGk=\x07 [bold]b[/x] \u202eabc\u200b é 漢字"

STATES = ("untouched", "searching", "fits", "right", "wrong", "unknown", "given up")

SOURCE = '''import numpy as np

TURNS = {1: "left", 2: "right"}  # names


def transform(grid):
    """Turn the grid
    over."""
    a = np.array(grid)
    if a[0, 0] != 0x1F:
        a = a[:, ::-1]
    return a.tolist()
'''


def grid(seed, rows=6, columns=6):
    return as_grid(np.random.default_rng(seed).integers(0, 10, (rows, columns)))


def spoiled(original, cells, seed=0):
    """Return a grid with so many cells changed."""
    rng = np.random.default_rng(seed)
    changed = original.copy()
    for place in rng.choice(changed.size, cells, replace=False):
        changed.flat[place] = (changed.flat[place] + 1) % 10
    return as_grid(changed)


def wall_tasks(number, name="{:08x}"):
    return tuple(
        WallTask(index, name.format(index * 40503), grid(index, 4 + index % 9), STATES[index % 7])
        for index in range(number)
    )


def arms(number):
    rng = np.random.default_rng(7)
    made = []
    for index in range(number):
        right = int(rng.integers(0, 3))
        pulls = int(rng.integers(0, 20)) if index % 3 else 0
        alpha, beta = 1 + 20 * right / 3, 1 + 20 * (1 - right / 3) + pulls
        draw = float(rng.beta(alpha, beta)) if pulls else None
        parent = int(rng.integers(0, index)) if index > 4 and index % 2 else None
        best = float(rng.integers(0, 4)) / 3 if pulls else None
        made.append(Arm(index, index, parent, right, 3, pulls, alpha, beta, pulls, best, draw))
    return made


def patterns(number=5, right=2, tests=1):
    truth = [grid(90 + test) for test in range(tests)]
    made = []
    for index in range(number):
        outputs = tuple(spoiled(g, 0 if index == right else index + 1, index) for g in truth)
        count = 400 // (index + 1) ** 2
        marks = None if right is None else (index == right,) * tests
        made.append(Pattern(index, index + 1, outputs, count, count * 700.0, index < 2, marks))
    return made


def pair_rows():
    pairs = [Pair(grid(seed), grid(seed + 50, 4 + seed, 5)) for seed in range(3)]
    results = (
        pairs[0].output,
        spoiled(pairs[1].output, 3),
        Failure("exception", f"IndexError: {HOSTILE}"),
    )
    rows = [
        PairRow(f"demonstration {n}", pair.input, pair.output, (Produced("produced", result),))
        for n, (pair, result) in enumerate(zip(pairs, results, strict=True), 1)
    ]
    submitted = (Produced("submission 1", grid(8)), Produced("submission 2", grid(9)))
    return (*rows, PairRow("test 1", grid(7), None, submitted))


def chain():
    return [
        ChainNode(1, None, 1, "sample", 0, 3),
        ChainNode(5, 1, 5, "refine", 1, 3),
        ChainNode(6, 1, 6, "refine", 0, 3, "identity"),
        ChainNode(9, 5, 9, "refine", 3, 3),
        ChainNode(11, 5, 11, "refine", 0, 3, HOSTILE),
        ChainNode(14, 9, 14, "refine", 3, 3),
    ]


def film():
    known = {node.id: node for node in chain()}
    expected = (grid(1), grid(2, 4, 7), None)
    outputs = [g for g in expected if g is not None]
    frames = (
        Frame(known[1], (Failure("timeout", "more than 2 s"), spoiled(outputs[1], 5), grid(3))),
        Frame(known[5], (outputs[0], spoiled(outputs[1], 2), grid(4))),
        Frame(known[9], (*outputs, grid(5))),
    )
    return Film(expected, frames)


def candidate_row(number, task=0, **changes):
    values = {
        "id": candidate_id(0, task, number),
        "iteration": 0,
        "task": task,
        "number": number,
        "operator": "refine" if number % 3 else "sample",
        "pull": number // 4,
        "island": 0,
        "parent": candidate_id(0, task, number - 1) if number % 3 else None,
        "created": 1.0e9 + number,
        "length": 200 + number % 900,
        "accuracy": number % 4 / 3,
        "filter": "identity" if number % 7 == 3 else None,
        "runs": number % 5 != 2,
        "pattern": number % 11,
        "right": None,
        "prior": None,
        "finish": "stop",
        "tokens_in": 0,
        "tokens_out": 0,
    }
    return CandidateRow(**{**values, **changes})
