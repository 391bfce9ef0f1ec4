"""ARC's own things: grids, demonstration pairs, tasks and task sets. Knows nothing of programs."""

from engine.arc.grid import Grid, GridError, as_grid, pack, unpack
from engine.arc.load import (
    NamedSet,
    TaskFileError,
    load_tasks,
    save_task,
    task_document,
    task_sets,
)
from engine.arc.task import Pair, Task, TaskSet

__all__ = [
    "Grid",
    "GridError",
    "NamedSet",
    "Pair",
    "Task",
    "TaskFileError",
    "TaskSet",
    "as_grid",
    "load_tasks",
    "pack",
    "save_task",
    "task_document",
    "task_sets",
    "unpack",
]
