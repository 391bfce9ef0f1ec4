"""What every query needs: a connection inside one snapshot, the tasks' outlines, how to read a blob."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.arc import Pair, Task
from engine.archive.packing import unpack_grids
from engine.programs.candidate import candidate_id

LAST_NUMBER = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class TaskOutline:
    """What there is to know of a task without its grids: how many, and whether the truth is known."""

    id: str
    pairs: int
    tests: int
    known: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment's view of an archive; queries take it and must not outlive it.

    `expand` turns a stored blob into its content; `outlines` are of the run's tasks, in index order.
    """

    sql: sqlite3.Connection
    expand: Callable[[bytes], bytes]
    outlines: tuple[TaskOutline, ...]


def candidate_range(iteration: int, task: int) -> tuple[int, int]:
    """Return the first and the last id that candidates of a task in an iteration can have."""
    return candidate_id(iteration, task, 0), candidate_id(iteration, task, LAST_NUMBER)


def load_outlines(sql: sqlite3.Connection) -> tuple[TaskOutline, ...]:
    """Return what queries need of the run's tasks, in index order."""
    rows = sql.execute("SELECT id, pairs, tests, truth IS NOT NULL FROM task ORDER BY idx")
    return tuple(TaskOutline(name, pairs, tests, bool(known)) for name, pairs, tests, known in rows)


def load_tasks(sql: sqlite3.Connection, expand: Callable[[bytes], bytes]) -> tuple[Task, ...]:
    """Return the run's tasks, in index order."""
    rows = sql.execute("SELECT id, train, test, truth FROM task ORDER BY idx").fetchall()
    tasks = []
    for name, train, test, truth in rows:
        sides = unpack_grids(expand(train))
        pairs = tuple(Pair(*both) for both in zip(sides[::2], sides[1::2], strict=True))
        truths = None if truth is None else unpack_grids(expand(truth))
        tasks.append(Task(name, pairs, unpack_grids(expand(test)), truths))
    return tuple(tasks)


def dictionary(sql: sqlite3.Connection, name: int) -> bytes:
    """Return what zstd needs to read frames that name it. Raises LookupError."""
    row = sql.execute("SELECT data FROM dictionary WHERE id = ?", (name,)).fetchone()
    if row is None:
        raise LookupError(f"no dictionary {name}")
    data: bytes = row[0]
    return data


def placeholders(values: Iterable[object]) -> str:
    """Return as many question marks, for an SQL list."""
    return ", ".join("?" for _ in values)
