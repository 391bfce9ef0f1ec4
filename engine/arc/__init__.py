"""ARC's own things: grids, demonstration pairs, tasks and task sets. Knows nothing of programs."""

from engine.arc.grid import Grid, GridError, as_grid, pack, unpack
from engine.arc.task import Pair, Task, TaskSet

__all__ = ["Grid", "GridError", "Pair", "Task", "TaskSet", "as_grid", "pack", "unpack"]
