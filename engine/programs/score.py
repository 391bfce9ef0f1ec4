"""What a program's results are worth: right or wrong per grid, and the filter that fires."""

from __future__ import annotations

from engine.arc.grid import pack
from engine.arc.task import Task
from engine.programs.candidate import Evaluation, Result
from engine.programs.filters import demonstrations, first_filter


def judge(task: Task, source: str, results: tuple[Result, ...]) -> Evaluation:
    """Return the evaluation of a program's results on a task; never reads the task's truth.

    `results` has one entry per input of the task, demonstrations first. Raises ValueError when
    it has not.
    """
    expected = len(task.train) + len(task.test)
    if len(results) != expected:
        raise ValueError(f"task {task.id}: {len(results)} results for {expected} inputs")
    outputs = demonstrations(task).outputs
    right = tuple(result == output for result, output in zip(results, outputs, strict=False))
    return Evaluation(results, right, first_filter(task, source, results))


def right_tests(task: Task, evaluation: Evaluation) -> tuple[bool, ...] | None:
    """Return per test input whether its output is right, or None where the truth is not known.

    For reports and for choosing training data on training tasks only; a search never asks.
    """
    if task.truth is None:
        return None
    results = evaluation.results[len(task.train) :]
    return tuple(result == pack(truth) for result, truth in zip(results, task.truth, strict=True))
