"""The embedded policy: proposes programs of the grammar from its own worker processes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.arc import Task
from engine.config import PolicyConfig
from engine.policies.grammar import worker
from engine.policies.grammar.checkpoint import CheckpointError, load_weights
from engine.policies.grammar.pool import WorkerPool
from engine.policies.grammar.proposing import task_key
from engine.policies.protocol import PolicyError, PolicyStatus, Proposal
from engine.programs.candidate import Candidate


class GrammarPolicy:
    """A `Policy` that composes primitives on CPU cores; see docs/grammar.md.

    Deterministic: the same task, n, seed (and parent source) give the same proposals, whatever
    was asked before and however many workers there are. Processes start with the first call or
    on entering the policy as an asynchronous context, and end with `close` or with this process.
    """

    def __init__(self, config: PolicyConfig) -> None:
        self._checkpoint: Path | None = None
        self._pool = WorkerPool(config.workers or _cores())

    async def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        task = task.without_truth()
        return await self._pool.run(task_key(task), worker.sample, self._checkpoint, task, n, seed)

    async def refine(self, task: Task, parent: Candidate, n: int, seed: int) -> list[Proposal]:
        if parent.source is None:
            return await self.sample(task, n, seed)
        task = task.without_truth()
        return await self._pool.run(
            task_key(task), worker.refine, self._checkpoint, task, parent.source, n, seed
        )

    async def load(self, checkpoint: Path | None) -> None:
        if checkpoint is not None:
            try:
                await asyncio.to_thread(load_weights, checkpoint)
            except CheckpointError as error:
                raise PolicyError(str(error)) from error
        self._checkpoint = checkpoint

    async def rest(self) -> None:
        pass  # idle workers take nothing that a fit needs

    async def close(self) -> None:
        await self._pool.close()

    @property
    def status(self) -> PolicyStatus:
        name = "untrained" if self._checkpoint is None else self._checkpoint.stem
        return PolicyStatus("grammar", name, self._pool.in_flight, not self._pool.closed)

    async def __aenter__(self) -> Self:
        await self._pool.warm_up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _cores() -> int:
    count: int | None = getattr(os, "process_cpu_count", os.cpu_count)()
    return count or 1
