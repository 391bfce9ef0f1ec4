"""Which tasks a run has: those to learn from, then those to solve."""

from __future__ import annotations

from engine.arc import Task
from engine.arc.load import TaskFileError, load_tasks
from engine.config import Settings


def run_tasks(settings: Settings) -> tuple[tuple[Task, ...], int]:
    """Return the run's tasks, those to learn from first, and how many those are.

    The same set may serve as both; otherwise no task may be in both. Raises TaskFileError.
    """
    targets = load_tasks(settings.tasks).tasks
    if settings.train_tasks is None:
        return targets, 0
    if settings.train_tasks == settings.tasks:
        return targets, len(targets)
    training = load_tasks(settings.train_tasks).tasks
    both = {task.id for task in training} & {task.id for task in targets}
    if both:
        raise TaskFileError(
            f"train_tasks {settings.train_tasks}: task {min(both)!r} and {len(both) - 1} more are "
            f"among the target tasks {settings.tasks} too; nothing held out may be learned from"
        )
    return training + targets, len(training)
