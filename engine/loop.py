"""The outer loop of SOAR: search every task, vote, learn, and begin again (SOAR §2, Algorithm 3).

Pure orchestration. It does not know what kind of policy proposes, how a program is run, how the
archive stores or how a policy is trained; it only says in which order things happen.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from engine.arc import Task
from engine.config import SearchConfig, Settings
from engine.learning.lesson import Stage
from engine.policies import Policy
from engine.programs.candidate import Candidate, Evaluation, Pull
from engine.search.effort import progress, share_out
from engine.search.invariants import invariants_of
from engine.search.recall import Recall
from engine.search.task_search import Made, MayStart, Place, search_task
from engine.search.vote import Tally, rank

_FEWEST_TASKS = 64


class Judge(Protocol):
    """Runs and judges programs; see engine.programs.evaluate.Evaluator."""

    async def evaluate(
        self, task: Task, sources: Sequence[str | None]
    ) -> list[Evaluation | None]: ...

    def forget(self, task_id: str) -> None: ...


class Memory(Protocol):
    """Where the loop writes what it found; see engine.archive.writer.ArchiveWriter."""

    def begin_iteration(
        self, index: int, phase: str, policy: str, checkpoint: str, tasks: range
    ) -> None: ...

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


Learn = Callable[[Stage], Awaitable[Path | None]]
"""Learns from what a stage found; None: the policy has no weights that could be tuned."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the archive holds from before this process: what need not be done again.

    `ended` are the iterations whose search is through, `checkpoints` what learning from them
    gave, `finished(iteration)` the tasks whose search is, `pulls(iteration, task)` the pulls of
    one task in their order, read as they are asked for. `candidate(id)` reads one, None before it is
    committed; that one may be of this process.
    """

    ended: Collection[int]
    checkpoints: Mapping[int, Path]
    finished: Callable[[int], Collection[int]]
    pulls: Callable[[int, int], Iterator[Made]]
    candidate: Callable[[int], Candidate | None]


@dataclass(slots=True)
class Progress:
    """Which iteration runs, at which step, and for how many seconds, earlier processes' included."""

    iteration: int = 0
    step: Literal["search", "learn"] = "search"
    seconds_before: float = 0.0
    started: float | None = None

    @property
    def seconds(self) -> float:
        running = 0.0 if self.started is None else time.monotonic() - self.started
        return self.seconds_before + running

    def enter(self, iteration: int) -> None:
        """Note that an iteration's search begins or, when it is the noted one, goes on."""
        if iteration != self.iteration:
            self.iteration, self.seconds_before = iteration, 0.0
        self.step = "search"
        self.started = time.monotonic()


async def run_iterations(
    tasks: Sequence[Task],
    stages: Sequence[Stage],
    settings: Settings,
    policy: Policy,
    *,
    judge: Judge,
    memory: Memory,
    learn: Learn,
    may_start: MayStart,
    past: Past,
    progress: Progress,
    start: Path | None,
    on_ready: Callable[[], Awaitable[None]],
) -> bool:
    """Run all iterations; return False when told to stop before the last was through.

    After each iteration but the last (that one too, where `settings.learn_last` says so), `learn`
    turns what was found into a checkpoint, and the policy searches the next one with it; with
    `start` the first, and every one before which nothing was learned that could be loaded. It is
    loaded right before it searches: a server would take minutes to load what it will not serve.
    `may_start` is awaited before each pull (see search_task) and before learning. Whatever `past`
    says is done is not done again; `progress` is kept true for whoever watches. `on_ready` is
    awaited whenever the policy has loaded or learning begins, and once all is through.
    """
    learned = dict(past.checkpoints)
    for stage in stages:
        if stage.index not in past.ended:
            await policy.load(learned.get(stage.index - 1, start))
            await on_ready()
            status = policy.status
            memory.begin_iteration(
                stage.index, stage.phase, status.name, status.checkpoint, stage.tasks
            )
            progress.enter(stage.index)
            through = await _search_all(
                tasks,
                stage,
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
            memory.end_iteration(stage.index, progress.seconds)
            await memory.flush()
        if stage is stages[-1] and not settings.learn_last:
            break
        if stage.index not in learned and stage.index + 1 not in past.ended:
            await on_ready()
            if not await may_start():
                return False
            progress.step = "learn"
            checkpoint = await learn(stage)
            if checkpoint is not None:
                learned[stage.index] = checkpoint
    await on_ready()
    return True


async def _search_all(
    tasks: Sequence[Task],
    stage: Stage,
    settings: Settings,
    policy: Policy,
    *,
    judge: Judge,
    memory: Memory,
    may_start: MayStart,
    past: Past,
) -> bool:
    finished = past.finished(stage.index)
    config = settings.search_at(stage.index)
    width = min(tasks_at_once(settings, policy.status.capacity), len(stage.tasks))
    seconds: dict[int, float] = dict.fromkeys(stage.tasks, 0.0)
    waiting: dict[int, list[Tally]] = {}
    through = True
    before: dict[int, float] = {}
    first_new: dict[int, int] = {}
    recall = Recall(past.candidate, memory.flush)

    def record(pull: Pull, candidates: Sequence[Candidate]) -> None:
        first_new.setdefault(pull.task, pull.number)
        memory.put_pull(pull, candidates)
        recall.add(candidates)

    def replayed(index: int) -> Iterator[Made]:
        """Yield the archived pulls of a task, noting how long earlier processes searched it."""
        # A second look, for extra programs, also finds what this process has made: not counted.
        limit = first_new.get(index)
        busy, until = 0.0, -math.inf
        for pull, candidates in past.pulls(stage.index, index):
            if limit is None or pull.number < limit:
                # Pulls are under way at once; and between two processes none is.
                ended = pull.created + pull.seconds
                busy += max(0.0, ended - max(pull.created, until))
                until = max(until, ended)
                before[index] = busy
            yield pull, candidates

    async def search(index: int, extra: int) -> list[Tally] | None:
        task, started = tasks[index].without_truth(), time.monotonic()
        tallies = await search_task(
            task,
            Place(settings.seed, stage.index, index),
            config,
            policy,
            judge.evaluate,
            record=record,
            recall=recall,
            may_start=may_start,
            archived=replayed(index),
            extra=extra,
        )
        judge.forget(task.id)
        seconds[index] += time.monotonic() - started
        return tallies

    def put_vote(index: int, tallies: Sequence[Tally]) -> None:
        vote, invariants = settings.vote, invariants_of(tasks[index])
        ranked = rank(tallies, vote.formula, vote.c, invariants)
        memory.put_vote(
            stage.index,
            index,
            vote.formula,
            [(tally.pattern, weight, tally.count) for tally, weight in ranked],
            before.get(index, 0.0) + seconds[index],
        )

    async def search_some(remaining: Iterator[int], extras: Mapping[int, int] | None) -> None:
        nonlocal through
        for index in remaining:
            tallies = await search(index, 0 if extras is None else extras[index])
            if tallies is None:
                through = False
                return
            if extras is None and settings.search.effort == "adaptive":
                waiting[index] = tallies
            else:
                put_vote(index, tallies)

    async def search_these(indexes: Iterable[int], extras: Mapping[int, int] | None) -> None:
        remaining = iter(indexes)
        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(search_some(remaining, extras))

    await search_these([index for index in stage.tasks if index not in finished], None)
    if waiting and through:
        await memory.flush()
        extras = await asyncio.to_thread(_extras, stage, config, past)
        for index in waiting.keys() - extras.keys():
            put_vote(index, waiting[index])
        await search_these([index for index in waiting if index in extras], extras)
    return through


def _extras(stage: Stage, search: SearchConfig, past: Past) -> dict[int, int]:
    """Return how many programs more than planned each task gets, of those that others left."""
    budget = search.samples + search.refinements
    unspent, progressed = 0, dict[int, float]()
    for index in stage.tasks:
        pulls = list(past.pulls(stage.index, index))
        spent = sum(len(candidates) for _, candidates in pulls)
        unspent += max(0, budget - spent)
        if spent >= budget:
            progressed[index] = sum(progress(pulls, budget).values())
    extras = share_out(unspent, progressed, search.pull)
    return {index: extra for index, extra in extras.items() if extra}


def tasks_at_once(settings: Settings, capacity: int) -> int:
    """Return how many tasks to search at once: enough for a policy's servers to have no pause.

    In refinement a task asks for `pull * in_flight` proposals at once. Not all of them are at the
    servers: some are being run, some wait for an earlier pull, for pulls count in their order.
    Hence twice as many tasks as would fill the servers.
    """
    search = settings.search
    return settings.tasks_in_flight or max(
        _FEWEST_TASKS, -(-2 * capacity // (search.pull * search.in_flight))
    )
