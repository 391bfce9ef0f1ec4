"""A model server as a process of ours: started, probed, restarted with back-off, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from engine.policies.llm.errors import StartError
from engine.policies.llm.leash import GRACE_SECONDS, leashed, log_tail

_STEADY_SECONDS = 300.0
"""A server that was up for as long starts with all its restarts again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probes:
    """How a server is asked whether it is well; paths from its root, times in seconds.

    `ready` is asked while it starts, `health` while it runs; `misses` probes in a row without
    HTTP 200 make it count as hung.
    """

    ready: str
    health: str
    start_seconds: float
    poll_seconds: float = 0.5
    health_every: float = 30.0
    health_seconds: float = 60.0
    misses: int = 3
    first_rest: float = 2.0
    """The wait before the first restart; it doubles with each further one."""
    restarts: int = 3
    """Restarts in a row before it counts as gone for good."""


def free_port() -> int:
    """Return a TCP port that is free on the loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """One server kept running from `start` to `close`.

    It lives in a process group of its own, on a leash: it ends when this process does, however
    that ends. It is restarted when it ends by itself or no longer answers; when so many
    restarts in a row fail as its probes allow, `ready` raises StartError with the tail of its log.
    """

    def __init__(
        self,
        root: str,
        log_file: Path,
        probes: Probes,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command: tuple[str, ...] = ()
        self._root = root
        self._log_file = log_file
        self._probes = probes
        self._environment = environment
        self._settled = asyncio.Event()
        self._failure: StartError | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether it is ready and has answered its last probe."""
        return self._settled.is_set() and self._failure is None

    @property
    def kept(self) -> bool:
        """Whether it is kept running: started and not closed."""
        return self._keeping is not None

    def start(self, command: Sequence[str]) -> None:
        """Start it by a command line and keep it running; `ready` waits for it."""
        assert self._keeping is None
        self._command = tuple(command)
        self._settled.clear()
        self._failure = None
        self._keeping = asyncio.create_task(self._keep(), name="model server")

    async def ready(self) -> None:
        """Wait until it is up. Raises StartError when it is gone for good, or was not started."""
        if self._keeping is None:
            raise StartError("the model server has not been started: a checkpoint is loaded first")
        await self._settled.wait()
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """End it and its whole process group. Safe to call twice; it may be started again."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])
        self._settled.clear()

    async def restart(self, command: Sequence[str]) -> None:
        """End it and start it with another command line; wait until it is ready."""
        await self.close()
        self.start(command)
        await self.ready()

    def comes_back_as(self, command: Sequence[str]) -> None:
        """Set the command line of its next start."""
        self._command = tuple(command)

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                seconds = await self._live()
            except StartError as error:
                failures += 1
                reason = error
            except OSError as error:
                failures += 1
                reason = StartError(f"the model server cannot be started: {error}")
            else:
                failures = 1 if seconds >= _STEADY_SECONDS else failures + 1
                reason = StartError(self._shown("ended"))
            if failures > self._probes.restarts:
                self._failure = reason
                self._settled.set()
                return
            self._settled.clear()
            rest = self._probes.first_rest * 2 ** (failures - 1)
            log.warning("%s; it is started again in %g s", reason, rest)
            await asyncio.sleep(rest)

    async def _live(self) -> float:
        """Run it once; return for how many seconds it was up. Raises StartError if it never was."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *leashed(self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                env=None if self._environment is None else dict(self._environment),
            )
        try:
            async with httpx.AsyncClient(base_url=self._root, trust_env=False) as http:
                await self._until_ready(process, http)
                log.info("the model server at %s is up", self._root)
                self._settled.set()
                since = time.monotonic()
                await self._while_well(process, http)
                return time.monotonic() - since
        finally:
            self._settled.clear()
            await _end(process)

    async def _until_ready(
        self, process: asyncio.subprocess.Process, http: httpx.AsyncClient
    ) -> None:
        deadline = time.monotonic() + self._probes.start_seconds
        while not await self._answers(http, self._probes.ready):
            if await _ends_within(process, self._probes.poll_seconds):
                code = process.returncode
                raise StartError(self._shown(f"ended while starting, with exit code {code}"))
            if time.monotonic() > deadline:
                limit = self._probes.start_seconds
                raise StartError(self._shown(f"was not ready within {limit:g} s"))

    async def _while_well(
        self, process: asyncio.subprocess.Process, http: httpx.AsyncClient
    ) -> None:
        missed = 0
        while missed < self._probes.misses:
            if await _ends_within(process, self._probes.health_every):
                return
            missed = 0 if await self._answers(http, self._probes.health) else missed + 1
        log.warning("the model server at %s no longer answers", self._root)

    async def _answers(self, http: httpx.AsyncClient, path: str) -> bool:
        try:
            async with asyncio.timeout(self._probes.health_seconds):
                response = await http.get(path, timeout=self._probes.health_seconds)
        except (httpx.HTTPError, TimeoutError):
            return False
        return response.status_code == 200

    def _shown(self, what: str) -> str:
        tail = log_tail(self._log_file)
        return f"the model server {what}; {self._log_file}" + (
            f" ends with\n{tail}" if tail else ""
        )


async def _ends_within(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let go of the leash, and wait until its process group is gone."""
    assert process.stdin is not None
    process.stdin.close()
    if not await _ends_within(process, GRACE_SECONDS + 5.0):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
