"""The embedded policy of a cluster: as the ordinary one to its callers, computed on the nodes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.arc import Task
from engine.cluster.stations import Stations
from engine.policies.grammar.checkpoint import CheckpointError, load_weights
from engine.policies.grammar.proposing import task_key
from engine.policies.protocol import PolicyError, PolicyStatus, Proposal
from engine.programs.candidate import Candidate


class ClusterPolicy:
    """A `Policy`: GrammarPolicy on the stations, each task at home on one of them.

    Deterministic as that is: the same call gives the same proposals on any node.
    """

    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._name = "untrained"
        self._in_flight = 0

    async def sample(self, task: Task, n: int, seed: int) -> list[Proposal]:
        return await self._propose("sample", task.without_truth(), n, seed)

    async def refine(self, task: Task, parent: Candidate, n: int, seed: int) -> list[Proposal]:
        return await self._propose("refine", task.without_truth(), parent, n, seed)

    async def load(self, checkpoint: Path | None) -> None:
        """Send a checkpoint to all stations. Raises PolicyError when it cannot be read."""
        content = None
        if checkpoint is not None:
            try:
                await asyncio.to_thread(load_weights, checkpoint)
                content = await asyncio.to_thread(checkpoint.read_bytes)
            except (CheckpointError, OSError) as error:
                raise PolicyError(str(error)) from error
        await self._stations.load(content, "" if checkpoint is None else checkpoint.name)
        self._name = "untrained" if checkpoint is None else checkpoint.stem

    async def rest(self) -> None:
        pass  # idle workers take nothing that a fit needs

    async def close(self) -> None:
        pass  # the stations close what they have opened

    @property
    def status(self) -> PolicyStatus:
        up = bool(self._stations.statuses)
        return PolicyStatus("grammar", self._name, self._in_flight, up)

    async def _propose(self, method: str, task: Task, *arguments: object) -> list[Proposal]:
        self._in_flight += 1
        try:
            proposals: list[Proposal] = await self._stations.call(
                method, task, *arguments, key=task_key(task)
            )
        finally:
            self._in_flight -= 1
        return proposals
