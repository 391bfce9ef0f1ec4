"""The sandbox of a cluster: as the ordinary one to its callers, run on the nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.arc import Grid
from engine.cluster.station import Ran
from engine.cluster.stations import Stations
from engine.programs.candidate import Result
from engine.programs.sandbox import SandboxStatus
from engine.programs.sandbox.status import LEVELS


class ClusterSandbox:
    """Runs programs on whichever station has the least to do; see engine.programs.sandbox.

    A program's results do not depend on the node: limits are of CPU time, and every station has
    the same settings and the same engine.
    """

    def __init__(self, stations: Stations) -> None:
        self._stations = stations
        self._queued = 0

    async def run(
        self,
        sources: Sequence[str],
        inputs: Sequence[Grid],
        *,
        confirm: Sequence[bytes] | None = None,
    ) -> list[tuple[Result, ...]]:
        """Sandbox.run on one node. Raises ClusterError when there is none to be had."""
        self._queued += len(sources)
        try:
            ran = await self._stations.call(
                "run", sources, inputs, confirm, weight=max(1, len(sources))
            )
        finally:
            self._queued -= len(sources)
        assert isinstance(ran, Ran)
        return ran.results

    @property
    def status(self) -> SandboxStatus:
        """What all stations' sandboxes are and have done together; the level is the weakest's."""
        statuses = self._stations.statuses
        kills: Counter[str] = Counter()
        for status in statuses:
            kills.update(status.kills)
        weakest = min(statuses, key=lambda each: LEVELS.index(each.level), default=None)
        return SandboxStatus(
            level="weak" if weakest is None else weakest.level,
            layers={} if weakest is None else weakest.layers,
            workers=sum(status.workers for status in statuses),
            programs=sum(status.programs for status in statuses),
            kills=dict(kills),
            queued=self._queued,
            mismatches=sum(status.mismatches for status in statuses),
            restarts=sum(status.restarts for status in statuses),
        )
