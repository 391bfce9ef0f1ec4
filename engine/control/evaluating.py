"""Evaluating programs that are given, outside any run: a stream in, evaluations out in its order."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engine.arc import Task
from engine.config import SandboxConfig
from engine.programs.candidate import Evaluation
from engine.programs.evaluate import Evaluator
from engine.programs.sandbox import MAX_INPUTS, Sandbox, SandboxError, SandboxStatus

__all__ = ["MAX_INPUTS", "GivenProgram", "SandboxError", "SandboxStatus", "evaluate_programs"]

BLOCK = 64
"""Programs that go into the sandbox, and come out of it, together at most."""
BLOCKS_PER_WORKER = 8
"""Blocks under way at once: enough to keep every worker busy, and all that is held in memory."""
REMEMBERED = 32_768
"""Evaluations kept, over all tasks, so that a program given again soon is not run again."""


@dataclass(frozen=True, slots=True)
class GivenProgram:
    """A program to be run on every input of a task; `id` is the giver's own name for it.

    The task has at most MAX_INPUTS inputs.
    """

    id: str | int
    task: Task
    source: str


Deliver: TypeAlias = Callable[[Sequence[tuple[GivenProgram, Evaluation]]], Awaitable[None]]


async def evaluate_programs(
    given: AsyncIterable[Sequence[GivenProgram]],
    tasks: int,
    config: SandboxConfig,
    deliver: Deliver,
) -> SandboxStatus:
    """Evaluate programs as they come and await `deliver` with some at a time, in the order given.

    `given` yields what there is to start on, a few programs or many; it is read only as fast as
    programs are delivered, so memory stays bounded however long it is. `tasks` is how many tasks
    the programs are for. An error of `given` is raised after all that came before it has been
    delivered; an error of `deliver`, and cancelling, end at once. Returns what the sandbox says of
    itself at the end. Raises SandboxError, and what `given` and `deliver` raise.
    """
    workers = config.workers or os.cpu_count() or 1
    under_way: asyncio.Queue[asyncio.Task[_Judged] | None]
    under_way = asyncio.Queue(BLOCKS_PER_WORKER * workers)

    async def pass_on() -> None:
        while (block := await under_way.get()) is not None:
            await deliver(await block)

    async with Sandbox(config) as sandbox:
        evaluator = Evaluator(sandbox, remembered=max(1, REMEMBERED // tasks))
        refused: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pass_on())
                try:
                    async for block in _blocks(given):
                        await under_way.put(group.create_task(_judge(evaluator, block)))
                except Exception as error:
                    refused = error
                await under_way.put(None)
        except BaseExceptionGroup as errors:
            raise _cause(errors) from None
        if refused is not None:
            raise refused
        return sandbox.status


def _cause(error: BaseException) -> BaseException:
    """Return the error of a group that came first: it is why the others ended."""
    return _cause(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


_Judged: TypeAlias = list[tuple[GivenProgram, Evaluation]]


async def _blocks(
    given: AsyncIterable[Sequence[GivenProgram]],
) -> AsyncIterator[Sequence[GivenProgram]]:
    async for programs in given:
        for start in range(0, len(programs), BLOCK):
            yield programs[start : start + BLOCK]


async def _judge(evaluator: Evaluator, block: Sequence[GivenProgram]) -> _Judged:
    """Evaluate a block, the programs of one task in one call."""
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for index, program in enumerate(block):
        by_task[program.task.id].append(index)
    found: dict[int, Evaluation] = {}

    async def judge_together(indexes: list[int]) -> None:
        evaluations = await evaluator.evaluate(
            block[indexes[0]].task, [block[index].source for index in indexes]
        )
        for index, evaluation in zip(indexes, evaluations, strict=True):
            assert evaluation is not None
            found[index] = evaluation

    async with asyncio.TaskGroup() as group:
        for indexes in by_task.values():
            group.create_task(judge_together(indexes))
    return [(program, found[index]) for index, program in enumerate(block)]
