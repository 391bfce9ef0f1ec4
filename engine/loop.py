"""The outer loop of SOAR: iterations that search every task and vote (SOAR §2, Algorithm 3).

Pure orchestration. It does not know what kind of policy proposes, how a program is run, or how
the archive stores; it only says in which order things happen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.arc import Task
from engine.config import Settings
from engine.policies import Policy
from engine.programs.candidate import Candidate, Evaluation, Pull
from engine.search.task_search import Archived, MayStart, Place, search_task
from engine.search.vote import rank


class Judge(Protocol):
    """Runs and judges programs; see engine.programs.evaluate.Evaluator."""

    async def evaluate(
        self, task: Task, sources: Sequence[str | None]
    ) -> list[Evaluation | None]: ...

    def forget(self, task_id: str) -> None: ...


class Memory(Protocol):
    """Where the loop writes what it found; see engine.archive.writer.ArchiveWriter."""

    def begin_iteration(self, index: int, phase: str, policy: str, checkpoint: str) -> None: ...

    def end_iteration(self, index: int, seconds: float) -> None: ...

    def put_pull(self, pull: Pull, candidates: Sequence[Candidate]) -> None: ...

    def put_vote(
        self,
        iteration: int,
        task: int,
        formula: str,
        ranked: Sequence[tuple[bytes, float, int]],
        seconds: float,
    ) -> None: ...

    async def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Past:
    """What the archive holds from before this process: what need not be done again.

    `ended` are the iterations that are through, `finished(iteration)` the tasks whose search is,
    `pulls(iteration, task)` the pulls of one task by number.
    """

    ended: Collection[int]
    finished: Callable[[int], Collection[int]]
    pulls: Callable[[int, int], Archived]


@dataclass(slots=True)
class Progress:
    """Which iteration runs and for how many seconds, those of earlier processes included."""

    iteration: int = 0
    seconds_before: float = 0.0
    started: float | None = None

    @property
    def seconds(self) -> float:
        running = 0.0 if self.started is None else time.monotonic() - self.started
        return self.seconds_before + running

    def enter(self, iteration: int) -> None:
        """Note that an iteration begins or, when it is the noted one, goes on."""
        if iteration != self.iteration:
            self.iteration, self.seconds_before = iteration, 0.0
        self.started = time.monotonic()


async def run_iterations(
    tasks: Sequence[Task],
    settings: Settings,
    policy: Policy,
    *,
    judge: Judge,
    memory: Memory,
    may_start: MayStart,
    past: Past,
    progress: Progress,
) -> bool:
    """Run all iterations; return False when told to stop before the last was through.

    `may_start` is awaited before each pull (see search_task). Whatever `past` says is done is
    not done again; `progress` is kept true for whoever watches.
    """
    for index in range(settings.iterations):
        if index in past.ended:
            continue
        status = policy.status
        memory.begin_iteration(index, "test", status.name, status.checkpoint)
        progress.enter(index)
        through = await _search_all(
            tasks,
            index,
            settings,
            policy,
            judge=judge,
            memory=memory,
            may_start=may_start,
            past=past,
        )
        await memory.flush()
        if not through:
            return False
        memory.end_iteration(index, progress.seconds)
        await memory.flush()
    return True


async def _search_all(
    tasks: Sequence[Task],
    iteration: int,
    settings: Settings,
    policy: Policy,
    *,
    judge: Judge,
    memory: Memory,
    may_start: MayStart,
    past: Past,
) -> bool:
    finished = past.finished(iteration)
    remaining = iter([index for index in range(len(tasks)) if index not in finished])
    through = True

    async def search_some() -> None:
        nonlocal through
        for index in remaining:
            task = tasks[index].without_truth()
            started = time.monotonic()
            tallies = await search_task(
                task,
                Place(settings.seed, iteration, index),
                settings.search,
                policy,
                judge.evaluate,
                record=memory.put_pull,
                may_start=may_start,
                archived=past.pulls(iteration, index),
            )
            judge.forget(task.id)
            if tallies is None:
                through = False
                return
            ranked = rank(tallies, settings.vote.formula, settings.vote.c)
            memory.put_vote(
                iteration,
                index,
                settings.vote.formula,
                [(tally.pattern, weight, tally.count) for tally, weight in ranked],
                time.monotonic() - started,
            )

    async with asyncio.TaskGroup() as group:
        for _ in range(min(settings.tasks_in_flight, len(tasks))):
            group.create_task(search_some())
    return through
