"""A process that records pulls for ever and says on stdout how many are acknowledged.

python -m tests.archive.recording_process FOLDER FIRST_PULL
"""

import asyncio
import random
import sys
from pathlib import Path

from engine.arc import Pair, Task, as_grid, pack
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, candidate_id

PULLS_PER_TASK = 7
GRIDS = [as_grid([[(i + r * c) % 10 for c in range(9)] for r in range(i + 1)]) for i in range(9)]
TASKS = [
    Task(f"task-{i}", (Pair(GRIDS[0], GRIDS[1]),), (GRIDS[2],), (GRIDS[i % 9],)) for i in range(500)
]


def unit(number: int) -> tuple[Pull, list[Candidate]]:
    """The pull of this number over all tasks, the same whenever it is asked for."""
    rng = random.Random(number)
    task, slot = divmod(number, PULLS_PER_TASK)
    operator, parent, draw = "sample", None, None
    if slot:
        operator, parent, draw = "refine", candidate_id(0, task, 0), rng.random()
    pull = Pull(0, task, slot, operator, 0, parent, draw, number, float(number), 0.5)
    candidates = []
    for place in range(3):
        results = (pack(rng.choice(GRIDS)), rng.choice([pack(rng.choice(GRIDS)), ERROR]))
        source = f"def transform(grid):\n    return {rng.randrange(50)}\n" * rng.randrange(1, 9)
        evaluation = Evaluation(results, (rng.random() < 0.5,))
        identifier = candidate_id(0, task, 3 * slot + place)
        candidates.append(
            Candidate(
                identifier,
                operator,
                slot,
                0,
                parent,
                source,
                evaluation,
                reply="r" * 100,
                tokens_in=9,
                cost=float(task),
            )
        )
    return pull, candidates


ERROR = Failure("exception", "IndexError: \ud800")


async def record_for_ever(folder: Path, first: int) -> None:
    writer = ArchiveWriter(folder)
    writer.put_tasks(TASKS)
    writer.begin_iteration(0, "train", "grammar", "untrained")
    rng = random.Random(first)
    number = first
    while True:
        for _ in range(rng.randrange(1, 12)):
            pull, candidates = unit(number)
            writer.put_pull(pull, candidates)
            if pull.number == PULLS_PER_TASK - 1:
                pattern = pack(GRIDS[pull.task % 9])
                writer.put_vote(0, pull.task, "sum", [(pattern, 1.0, 1)], 1.0)
            number += 1
        await writer.flush()
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(record_for_ever(Path(sys.argv[1]), int(sys.argv[2])))
