"""Which iterations a run has, and what learning from one of them may look at (SOAR §2, §7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.arc import Task
from engine.config import Settings
from engine.learning.learn import Lesson

Phase: TypeAlias = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One iteration as planned: its index, its phase, and its tasks as a range of the run's.

    In phase `train` learning may use the tasks' truth; in phase `test` it never does.
    """

    index: int
    phase: Phase
    tasks: range


def plan(settings: Settings, tasks: int, training: int) -> list[Stage]:
    """Return a run's iterations: those on its first `training` tasks, then those on its targets.

    The targets are the other tasks, or all where the run has no others.
    """
    stages: list[Stage] = []
    if training:
        stages += [
            Stage(index, "train", range(training)) for index in range(settings.train_iterations)
        ]
    targets = range(training, tasks) if training < tasks else range(tasks)
    first = len(stages)
    stages += [Stage(first + index, "test", targets) for index in range(settings.iterations)]
    return stages


def lesson(stage: Stage, stages: Sequence[Stage], tasks: Sequence[Task], *, pool: bool) -> Lesson:
    """Return what a stage's learning may look at: all stages so far, or only itself.

    The truth stays with the tasks of training stages and is stripped from all others.
    """
    so_far = [other for other in stages if other.index <= stage.index]
    pooled = so_far if pool else [stage]
    training = {index for other in so_far if other.phase == "train" for index in other.tasks}
    indexes = sorted({index for other in pooled for index in other.tasks})
    return Lesson(
        stage.index,
        [other.index for other in pooled],
        [(i, tasks[i] if i in training else tasks[i].without_truth()) for i in indexes],
    )
