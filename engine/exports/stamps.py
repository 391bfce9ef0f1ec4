"""What an archive holds of what an export has written: the same as long as that has not changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.exports.resuming import digest


def searched_stamp(
    reader: RunReader, tasks: Sequence[int], iterations: Sequence[int]
) -> Callable[[int], str]:
    """Return what tells a stamp of the searches of the first so many of `tasks`.

    A search only ever gets more candidates, and `gc` merges programs once all iterations are
    through, which makes fewer of them.
    """
    rows = reader.iterations()
    through = all(row.ended is not None for row in rows)
    programs = reader.count("program") if through else None
    policies = [(row.index, row.policy) for row in rows if row.index in iterations]

    def stamp(first: int) -> str:
        written = set(tasks[:first])
        searches = [
            (row.iteration, row.task, row.candidates)
            for row in reader.searches()
            if row.task in written and row.iteration in iterations
        ]
        return digest(searches, policies, programs)

    return stamp


def pooled_stamp(
    reader: RunReader,
    tasks: Sequence[tuple[int, Task]],
    iterations: Sequence[int],
    runs: Sequence[str],
) -> Callable[[int], str]:
    """Return what tells a stamp of what a pool of runs found for the first so many of its tasks.

    They are those of `tasks` by their index in this run or behind its own; of it `iterations` are
    pooled, of the folders `runs` all.
    """
    own = searched_stamp(reader, [index for index, _ in tasks], iterations)

    def stamp(first: int) -> str:
        written = {task.id for _, task in tasks[:first]}
        return digest(own(first), [_found(Path(run), written) for run in runs])

    return stamp


def _found(run: Path, written: Collection[str]) -> str:
    with RunReader(run) as reader:
        tasks = [index for index, task in enumerate(reader.tasks()) if task.id in written]
        iterations = [row.index for row in reader.iterations()]
        return searched_stamp(reader, tasks, iterations)(len(tasks))


def candidates_of(
    reader: RunReader, tasks: Sequence[int], iterations: Sequence[int]
) -> tuple[int, ...]:
    """Return how many candidates each of `tasks` has in some iterations."""
    counts = dict.fromkeys(tasks, 0)
    for row in reader.searches():
        if row.task in counts and row.iteration in iterations:
            counts[row.task] += row.candidates
    return tuple(counts.values())
