"""Evaluating proposals: the sandbox, the score and a memory, so that no program runs twice."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.arc.grid import Grid
from engine.arc.task import Task
from engine.programs.candidate import Evaluation, Result
from engine.programs.filters import demonstrations
from engine.programs.score import judge
from engine.programs.source import source_hash

REMEMBERED = 8192
"""Evaluations kept per task where nothing else is said: all of a search of the preset `paper`."""


class Runner(Protocol):
    """A running sandbox. It bounds its own time: a call returns, whatever the programs do."""

    async def run(
        self,
        sources: Sequence[str],
        inputs: Sequence[Grid],
        *,
        confirm: Sequence[bytes] | None = None,
    ) -> list[tuple[Result, ...]]:
        """Return every source's results, one per input, in the order given.

        `confirm` holds the packed outputs of the first inputs; a program that gives them all is
        run again by itself before it is believed.
        """
        ...


@dataclass(slots=True, eq=False)
class _Batch:
    """Programs under way in one call of the sandbox, and the event of its end."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    evaluations: dict[bytes, Evaluation] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Memory:
    """What is known of one task's programs by source hash."""

    known: OrderedDict[bytes, Evaluation] = field(default_factory=OrderedDict)
    running: dict[bytes, _Batch] = field(default_factory=dict)


class Evaluator:
    """Runs programs on tasks in a sandbox and judges them, each program once per task.

    `remembered` evaluations are kept per task; the least recently asked for is forgotten first.
    """

    def __init__(self, sandbox: Runner, remembered: int = REMEMBERED) -> None:
        self._sandbox = sandbox
        self._remembered = remembered
        self._memories: dict[str, _Memory] = {}

    async def evaluate(self, task: Task, sources: Sequence[str | None]) -> list[Evaluation | None]:
        """Return one evaluation per source, in order; None where the source is None.

        Concurrent calls with the same program share one run. A call that is cancelled or fails
        leaves its programs to whoever else waits for them.
        """
        hashes = [None if source is None else source_hash(source) for source in sources]
        wanted = {
            key: source
            for key, source in zip(hashes, sources, strict=True)
            if key is not None and source is not None
        }
        memory = self._memories.setdefault(task.id, _Memory())
        found: dict[bytes, Evaluation] = {}
        while wanted:
            shared = [memory.running[key] for key in wanted if key in memory.running]
            for key in wanted:
                if key in memory.known:
                    memory.known.move_to_end(key)
                    found[key] = memory.known[key]
            ours = {
                key: source
                for key, source in wanted.items()
                if key not in found and key not in memory.running
            }
            if ours:
                found |= await self._run(task, memory, ours)
            for batch in shared:
                await batch.ended.wait()
                found |= batch.evaluations
            wanted = {key: source for key, source in wanted.items() if key not in found}
        return [None if key is None else found[key] for key in hashes]

    def forget(self, task_id: str) -> None:
        """Drop a task's memory, when its search ends."""
        self._memories.pop(task_id, None)

    async def _run(
        self, task: Task, memory: _Memory, sources: dict[bytes, str]
    ) -> dict[bytes, Evaluation]:
        batch = _Batch()
        memory.running |= dict.fromkeys(sources, batch)
        try:
            results = await self._sandbox.run(
                tuple(sources.values()), task.inputs, confirm=demonstrations(task).outputs
            )
            for (key, source), result in zip(sources.items(), results, strict=True):
                batch.evaluations[key] = memory.known[key] = judge(task, source, result)
        finally:
            for key in sources:
                del memory.running[key]
            batch.ended.set()
        while len(memory.known) > self._remembered:
            memory.known.popitem(last=False)
        return batch.evaluations
