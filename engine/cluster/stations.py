"""The stations of a Ray cluster: one per node, kept running, and calls that outlive a lost node.

A node that joins gets a station; one whose station dies gets another after a pause. Calls go to
the node with the least to do for its cores, those with a key to the node that had the key before.
What was under way on a lost node is put to another one: the answer depends on nothing but the
call, so it does not matter where it is found.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from engine.cluster.connection import ClusterError, connect, one_line, start_on
from engine.cluster.station import Ran, revision
from engine.config import PolicyConfig, SandboxConfig
from engine.policies.protocol import PolicyError
from engine.programs.sandbox import SandboxError, SandboxStatus

WATCH_SECONDS: Final = 2.0
START_SECONDS: Final = 50.0
"""How long Ray may take to answer, and a station to serve: less than an engine's own start may."""
CALL_SECONDS: Final = 1800.0
"""How long a call may take before its station counts as lost; no ordinary call comes near."""
PATIENCE_SECONDS: Final = 900.0
"""How long there may be no station at all before calls fail."""
_ATTEMPTS: Final = 8
_END_SECONDS: Final = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_REMEMBERED_KEYS: Final = 4096

log = logging.getLogger(__name__)


class _LostError(RuntimeError):
    """A call whose station is gone; another may answer it."""


@dataclass(eq=False)
class _Place:
    """A node with its station up: what it has to do, and the event of its loss."""

    node: str
    cores: int
    actor: Any
    status: SandboxStatus
    load: int = 0
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Stations:
    """All stations of the cluster at `address`; an async context manager.

    Entering connects and waits for the first station; it raises ClusterError when Ray is not
    installed, no cluster answers, or no node can be used.
    """

    def __init__(self, address: str, sandbox: SandboxConfig, policy: PolicyConfig) -> None:
        self._address = address
        self._configs = sandbox, policy
        self._group = asyncio.TaskGroup()
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._alive: dict[str, int] = {}
        self._places: dict[str, _Place] = {}
        self._homes: OrderedDict[bytes, str] = OrderedDict()
        self._checkpoint: tuple[bytes | None, str] = (None, "")
        self._reason = "the cluster has no node with a CPU"
        self._news = asyncio.Event()
        self._revision = revision()
        self._closing = False
        self._ray: Any = None

    @property
    def statuses(self) -> list[SandboxStatus]:
        """What the sandboxes of the stations that are up said last."""
        return [place.status for place in self._places.values()]

    async def __aenter__(self) -> Self:
        self._ray = await connect(self._address, START_SECONDS)
        await self._group.__aenter__()
        self._watcher = self._group.create_task(self._watch())
        try:
            async with asyncio.timeout(START_SECONDS):
                while not self._places:
                    await self._something_new()
        except TimeoutError as error:
            await self._close()
            raise ClusterError(
                f"{self._address}: no node can be used after {START_SECONDS:.0f} s: {self._reason}"
            ) from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def call(
        self, method: str, *arguments: object, key: bytes | None = None, weight: int = 1
    ) -> Any:
        """Return what a station's method returns; calls that lose their node go to another.

        `weight` is about how many programs it is about. A station whose sandbox or policy gives up
        is lost like its node. Raises ClusterError when there is no station for PATIENCE_SECONDS or
        every one is lost under it.
        """
        last: Exception | None = None
        for _ in range(_ATTEMPTS):
            place = await self._choose(key)
            place.load += weight
            try:
                answer = await self._answer(place, method, arguments)
            except (_LostError, SandboxError, PolicyError) as error:
                last = error
                self._lose(place, error)
                continue
            finally:
                place.load -= weight
            if isinstance(answer, Ran):
                place.status = answer.status
            return answer
        assert last is not None
        raise ClusterError(
            f"a call of {method} lost its node {_ATTEMPTS} times, at last: {one_line(last)}"
        ) from last

    async def load(self, checkpoint: bytes | None, name: str) -> None:
        """Switch every station to a checkpoint, those that come later too."""
        self._checkpoint = checkpoint, name
        for place in list(self._places.values()):
            try:
                await self._answer(place, "load", self._checkpoint)
            except _LostError as error:
                # Its successor is given the checkpoint before it is given anything else.
                self._lose(place, error)

    async def _choose(self, key: bytes | None) -> _Place:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._places:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._something_new()
            except TimeoutError as error:
                raise ClusterError(
                    f"{self._address}: no node for {PATIENCE_SECONDS:.0f} s: {self._reason}"
                ) from error
        home = None if key is None else self._homes.pop(key, None)
        place = None if home is None else self._places.get(home)
        if place is None:
            homes = list(self._homes.values())
            place = min(
                self._places.values(),
                key=lambda each: (
                    each.load / each.cores,
                    homes.count(each.node) / each.cores if key is not None else 0,
                ),
            )
        if key is not None:
            self._homes[key] = place.node
            if len(self._homes) > _REMEMBERED_KEYS:
                self._homes.popitem(last=False)
        return place

    async def _answer(self, place: _Place, method: str, arguments: tuple[object, ...]) -> Any:
        if place.lost.is_set():
            raise _LostError("its station has ended")
        reference = self._ask(place.actor, method, *arguments)
        answer = asyncio.create_task(self._get(reference))
        lost = asyncio.create_task(place.lost.wait())
        try:
            done, _ = await asyncio.wait(
                (answer, lost), timeout=CALL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if answer in done:
                return answer.result()
            if not done:
                self._ray.kill(place.actor)
                raise _LostError(f"no answer in {CALL_SECONDS:.0f} s")
            raise _LostError("its station has ended")
        finally:
            lost.cancel()
            if not answer.done():
                answer.cancel()
                # Whoever asked is gone: the node need not go on.
                self._ray.cancel(reference)

    def _ask(self, actor: Any, method: str, *arguments: object) -> Any:
        """Send a call to an actor and return the reference of its answer."""
        try:
            return getattr(actor, method).remote(*arguments)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise _LostError(one_line(error)) from error

    async def _get(self, reference: Awaitable[Any]) -> Any:
        try:
            return await reference
        except self._ray.exceptions.RayTaskError as error:
            # What the method itself raised; Ray's wrapper is of no use to anyone here.
            raise getattr(error, "cause", None) or error from None
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise _LostError(one_line(error)) from error

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(START_SECONDS):
                    nodes = await asyncio.to_thread(self._ray.nodes)
            except (self._ray.exceptions.RayError, OSError) as error:
                # Stations may well go on without it, and are lost one by one if they do not.
                self._reason = f"the cluster does not answer: {one_line(error)}"
                log.warning("%s: %s", self._address, self._reason)
            else:
                self._see(nodes)
            await asyncio.sleep(WATCH_SECONDS)

    def _see(self, nodes: list[dict[str, Any]]) -> None:
        """Take in which nodes there are: those that are new get a station, those gone are lost."""
        self._alive = {
            node["NodeID"]: int(node["Resources"].get("CPU", 0))
            for node in nodes
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        }
        for node in self._places.keys() - self._alive.keys():
            self._lose(self._places[node], _LostError("the cluster says that it is gone"))
        for node, cores in self._alive.items():
            if node not in self._keepers:
                self._keepers[node] = self._group.create_task(self._keep(node, cores))

    async def _keep(self, node: str, cores: int) -> None:
        """Keep a station on a node until the node is gone."""
        pause = _FIRST_PAUSE
        try:
            while node in self._alive and not self._closing:
                began = time.monotonic()
                try:
                    await self._station(node, cores)
                except (ClusterError, RuntimeError, OSError) as error:
                    self._reason = f"node {node[:8]}: {one_line(error)}"
                    log.warning("%s", self._reason)
                    self._news.set()
                if self._closing:
                    return
                if time.monotonic() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            self._keepers.pop(node, None)

    def _lose(self, place: _Place, error: Exception) -> None:
        """Give a station up; what is under way there goes elsewhere."""
        if not place.lost.is_set() and not self._closing:
            text = "node %s is lost, its %d programs go to others: %s"
            log.warning(text, place.node[:8], place.load, error)
        self._forget(place)

    def _forget(self, place: _Place) -> None:
        place.lost.set()
        if self._places.get(place.node) is place:
            del self._places[place.node]

    async def _station(self, node: str, cores: int) -> None:
        """Start a node's station and let it be used until it ends, which is an error."""
        try:
            actor = start_on(self._ray, node, cores)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise _LostError(one_line(error)) from error
        serving = asyncio.create_task(self._get(self._ask(actor, "serve", *self._configs)))
        place = None
        try:
            async with asyncio.timeout(START_SECONDS):
                there, status = await self._get(self._ask(actor, "greet"))
            if there != self._revision:
                raise ClusterError(
                    f"another version of soar-tui is installed there (revision {there}, here "
                    f"{self._revision}): install the same one on all nodes"
                )
            loaded: tuple[bytes | None, str] = (None, "")
            while loaded != self._checkpoint:
                loaded = self._checkpoint
                async with asyncio.timeout(START_SECONDS):
                    await self._get(self._ask(actor, "load", *loaded))
            place = _Place(node, cores, actor, status)
            self._places[node] = place
            self._news.set()
            log.info("node %s: %d cores, sandbox %s", node[:8], cores, status.level)
            await _first(serving, lost := asyncio.create_task(place.lost.wait()))
            lost.cancel()
            if serving.done():
                await self._ending(serving, place)
            if not self._closing:
                raise _LostError("its station has ended")
        finally:
            if place is not None:
                self._forget(place)
            serving.cancel()
            self._ray.kill(actor)
            await asyncio.gather(serving, return_exceptions=True)  # what it says, others have said

    async def _ending(self, serving: asyncio.Task[Any], place: _Place) -> None:
        """Await what says why a station ended; with its node, it is told like any node that is lost."""
        try:
            await serving
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            self._lose(place, _LostError(one_line(error)))
            raise

    async def _something_new(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _close(self) -> None:
        self._closing = True
        keepers = list(self._keepers.values())
        endings = [
            asyncio.create_task(self._answer(place, "end", ()))
            for place in list(self._places.values())
        ]
        if endings:
            await asyncio.wait(endings, timeout=_END_SECONDS)
            await asyncio.wait(keepers, timeout=_END_SECONDS)
        for task in (*endings, *keepers, *([self._watcher] if self._watcher else [])):
            task.cancel()
        await asyncio.gather(*endings, return_exceptions=True)
        await self._group.__aexit__(None, None, None)
        await asyncio.to_thread(self._ray.shutdown)


async def _first(*tasks: asyncio.Task[Any]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
