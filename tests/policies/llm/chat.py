"""A fixed little task, a wrong program for it and what it gave, to write prompts about."""

from engine.arc import Pair, Task, as_grid, pack
from engine.programs.candidate import Candidate, Evaluation, Failure

TASK = Task(
    "mirror",
    (
        Pair(as_grid([[1, 0], [2, 0], [3, 0]]), as_grid([[0, 1], [0, 2], [0, 3]])),
        Pair(as_grid([[5, 5, 6]]), as_grid([[6, 5, 5]])),
        Pair(as_grid([[7]]), as_grid([[7]])),
        Pair(as_grid([[1, 2], [3, 4]]), as_grid([[2, 1], [4, 3]])),
    ),
    (as_grid([[9, 8], [8, 8]]), as_grid([[4, 0, 0]])),
    (as_grid([[8, 9], [8, 8]]), as_grid([[0, 0, 4]])),
)

OTHER = Task(
    "fill",
    (Pair(as_grid([[0, 1]]), as_grid([[1, 1]])),),
    (as_grid([[0, 2], [2, 2]]),),
)

WRONG = "def transform(grid):\n    return grid[::-1]\n"

RIGHT = "def transform(grid):\n    return [row[::-1] for row in grid]\n"


def parent(right=(False, False, True, False), source=WRONG):
    results = (
        pack(as_grid([[3, 0], [2, 0], [1, 0]])),
        Failure("exception", "IndexError: list index out of range (line 2)"),
        pack(as_grid([[7]])),
        Failure("invalid", "a grid has 1 to 30 rows, not 64"),
        pack(as_grid([[8, 8], [9, 8]])),
        Failure("timeout", "more than 2 s of CPU time"),
    )
    return Candidate(7, "sample", 0, 0, None, source, Evaluation(results, right))
