"""Pooling: what several runs found for a task, learned from as if one run had (SOAR §7, Table 5).

Candidates of other runs get ids that no candidate of this one has, so that they can stand beside
its own, and get their ids back, with the name of their run, in what is chosen from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.arc import Task
from engine.archive.reader import RunReader
from engine.learning.example import Example, Rejection
from engine.learning.gather import TaskData
from engine.programs.candidate import Candidate

_ID_BITS = 63


class PoolingError(ValueError):
    """A run that cannot be learned from together with another; the message names it."""


@dataclass(frozen=True, slots=True)
class _Other:
    """Another run: its folder's name, its tasks' indexes by id, how many are training tasks."""

    name: str
    reader: RunReader
    places: Mapping[str, int]
    training: int
    iterations: Sequence[int]


class Pool:
    """The tasks to learn from, and all that the runs of the pool found for each.

    `tasks` are by index; those that only other runs have come last, under indexes of their own,
    and keep their truth only where they are training tasks of every run that has them.
    """

    def __init__(
        self,
        reader: RunReader,
        iterations: Sequence[int],
        tasks: Sequence[tuple[int, Task]],
        others: Sequence[_Other],
    ) -> None:
        self._reader = reader
        self._iterations = iterations
        self._others = others
        own = reader.tasks()
        self._own = len(own)
        given = {task.id: (index, task) for index, task in tasks}
        elsewhere = {task.id for task in own} - given.keys()
        for other in others:
            for index, task in enumerate(other.reader.tasks()):
                if task.id in elsewhere:
                    continue  # a task of this run whose turn to be learned from has not come
                place, known = given.get(task.id, (self._own + len(given) - len(tasks), task))
                if not _same(known, task):
                    raise PoolingError(f"{other.name}: its task {task.id} is another than ours")
                if place >= self._own and index >= other.training:
                    known = known.without_truth()
                given[task.id] = place, known
        self.tasks: tuple[tuple[int, Task], ...] = tuple(sorted(given.values(), key=_place))
        self._ids = {index: task.id for index, task in self.tasks}

    def candidates(self, index: int) -> list[Candidate]:
        """Return all candidates the pool has for a task, under ids that none of them shares."""
        found = own_candidates(self._reader, self._iterations, index) if index < self._own else []
        for number, other in enumerate(self._others, 1):
            place = other.places.get(self._ids[index])
            if place is not None:
                found += [
                    replace(
                        candidate,
                        id=_foreign(number, candidate.id),
                        parent=None
                        if candidate.parent is None
                        else _foreign(number, candidate.parent),
                    )
                    for candidate in own_candidates(other.reader, other.iterations, place)
                ]
        return found

    def at_home(self, data: TaskData) -> TaskData:
        """Return a task's data with every id as its own run knows it, and that run's name."""
        return replace(
            data,
            samples=tuple(map(self._example, data.samples)),
            best=tuple(map(self._example, data.best)),
            repairs=tuple(map(self._example, data.repairs)),
            rejections=tuple(map(self._rejection, data.rejections)),
        )

    def _example(self, example: Example) -> Example:
        number, identifier = divmod(example.candidate, 1 << _ID_BITS)
        if number == 0:
            return example
        parent = example.parent
        if parent is not None:
            parent = replace(parent, id=parent.id % (1 << _ID_BITS))
        run = self._others[number - 1].name
        return replace(example, candidate=identifier, parent=parent, run=run)

    def _rejection(self, rejection: Rejection) -> Rejection:
        number, identifier = divmod(rejection.candidate, 1 << _ID_BITS)
        if number == 0:
            return rejection
        return replace(rejection, candidate=identifier, run=self._others[number - 1].name)


@contextmanager
def open_pool(
    folder: Path,
    reader: RunReader,
    iterations: Sequence[int],
    tasks: Sequence[tuple[int, Task]],
    runs: Sequence[str],
) -> Iterator[Pool]:
    """Open a run's pool: some of its own iterations and tasks, and all that other runs found.

    `runs` are their folders. Raises PoolingError for one that is named twice, is this run itself,
    or has another task under the same id, and ArchiveError for one that cannot be read.
    """
    known = {folder.resolve()}
    with ExitStack() as opened:
        others = []
        for run in runs:
            place = Path(run).resolve()
            if place in known:
                raise PoolingError(f"learn.runs: {run} is this run or named twice")
            known.add(place)
            other = opened.enter_context(RunReader(place))
            others.append(
                _Other(
                    place.name,
                    other,
                    {task.id: index for index, task in enumerate(other.tasks())},
                    other.training_tasks(),
                    [row.index for row in other.iterations()],
                )
            )
        yield Pool(reader, iterations, tasks, others)


def own_candidates(reader: RunReader, iterations: Sequence[int], task: int) -> list[Candidate]:
    """Return all candidates that some iterations of one run found for a task."""
    return [
        candidate
        for iteration in iterations
        for _, candidates in reader.replay(iteration, task)
        for candidate in candidates
    ]


def _place(entry: tuple[int, Task]) -> int:
    return entry[0]


def _foreign(number: int, identifier: int) -> int:
    return number << _ID_BITS | identifier


def _same(one: Task, other: Task) -> bool:
    """Whether two tasks show the same pairs and ask the same tests, in the same order."""
    if (len(one.train), len(one.test)) != (len(other.train), len(other.test)):
        return False
    outputs = zip(one.train, other.train, strict=True)
    return all(map(np.array_equal, one.inputs, other.inputs)) and all(
        np.array_equal(first.output, second.output) for first, second in outputs
    )
