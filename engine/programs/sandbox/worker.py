"""The engine's end of one zygote: starting it, talking to it, starting it again."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.programs.sandbox import frames
from engine.programs.sandbox.status import SandboxError

_ZYGOTE = Path(__file__).with_name("zygote.py")
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_SILENCE_SECONDS = 120.0
_MOST_FAILURES = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_FIRST_USER = 61000

FrameTaker = Callable[[int, int, int, bytes], None]


@dataclass(frozen=True, slots=True)
class Role:
    """What a zygote is for: its index among all, its lane, whether it carries scipy, its memory.

    `core` is the one it is kept on (None: any).
    """

    index: int
    slow: bool
    scipy: bool
    memory: int
    core: int | None = None


class _Link(asyncio.Protocol):
    """Cuts the byte stream from a zygote into its greeting and frames."""

    def __init__(self, take: FrameTaker) -> None:
        self._take = take
        self._rest = b""
        self.greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        self.heard = 0

    def data_received(self, data: bytes) -> None:
        self.heard += 1
        data = self._rest + data if self._rest else data
        place, end = 0, len(data)
        if not self.greeting.done():
            if end < 4 or end < 4 + frames.LENGTH.unpack_from(data)[0]:
                self._rest = data
                return
            place = 4 + frames.LENGTH.unpack_from(data)[0]
            self.greeting.set_result(data[4:place])
        while end - place >= frames.HEADER.size:
            size, job, number, kind = frames.HEADER.unpack_from(data, place)
            stop = place + frames.HEADER.size + size
            if stop > end:
                break
            self._take(job, number, kind, data[place + frames.HEADER.size : stop])
            place = stop
        self._rest = data[place:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.greeting.done():
            self.greeting.set_result(b"")
        self.closed.set()


class Worker:
    """One zygote kept running: `run` is a task that starts it again, with back-off, when it dies.

    `take(job, program, kind, payload)` gets every frame, `lost()` is called when the zygote is
    gone and `ready(layers)` when it is up.
    """

    def __init__(
        self,
        role: Role,
        take: FrameTaker,
        ready: Callable[[Mapping[str, str]], None],
        lost: Callable[[], None],
    ) -> None:
        self.role = role
        self.up = False
        self.restarts = 0
        self._take = take
        self._ready = ready
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._busy = asyncio.Event()
        self.pid = 0

    def send(self, request: bytes) -> None:
        """Send a request frame to the zygote; answers come through `take`."""
        assert self._transport is not None, "the zygote is not up"
        self._busy.set()
        self._transport.write(request)

    def rest(self) -> None:
        """Note that no answer is outstanding, so silence means nothing."""
        self._busy.clear()

    async def run(self) -> None:
        """Keep the zygote running until cancelled.

        Raises SandboxError when it cannot be started: at once when it says why the first time,
        else after several tries in a row.
        """
        failures, pause, was_up = 0, _FIRST_PAUSE, False
        while True:
            try:
                async with self._process() as link:
                    failures, pause, was_up = 0, _FIRST_PAUSE, True
                    await self._until_lost(link)
            except (OSError, SandboxError) as error:  # TimeoutError is an OSError
                failures += 1
                said_why = isinstance(error, SandboxError) and not was_up
                if said_why or failures == _MOST_FAILURES:
                    raise SandboxError(str(error) or type(error).__name__) from error
            self.restarts += 1
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _until_lost(self, link: _Link) -> None:
        while not link.closed.is_set():
            heard = link.heard
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await link.closed.wait()
            except TimeoutError:
                if self._busy.is_set() and link.heard == heard:
                    return

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncIterator[_Link]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = _start(self.role, theirs.fileno())
        try:
            self.pid = process.pid
            ours.setblocking(False)
            transport, link = await asyncio.get_running_loop().create_unix_connection(
                lambda: _Link(self._take), sock=ours
            )
            self._transport = transport
            try:
                layers = await _greeting(link)
                self.up = True
                self._ready(layers)  # may refuse what was reached, with a SandboxError
                yield link
            finally:
                self.up = False
                self._transport = None
                transport.abort()
        finally:
            ours.close()
            reaping = asyncio.create_task(asyncio.to_thread(_reap, process))
            try:
                await asyncio.shield(reaping)
            except asyncio.CancelledError:
                await reaping  # else the sandbox would be closed before its process is gone
                raise
            self._busy.clear()
            self._lost()


async def _greeting(link: _Link) -> Mapping[str, str]:
    async with asyncio.timeout(_START_SECONDS):
        greeting = await link.greeting
    if not greeting:
        raise ConnectionResetError("it ended before it was ready")
    message = json.loads(greeting)
    if "error" in message:
        raise SandboxError(message["error"])
    return {str(layer): str(state) for layer, state in message["layers"].items()}


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a zygote that has lost its engine's end to go; kill it when it does not."""
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_SECONDS)


def scipy_installed() -> bool:
    """Whether programs can be given scipy on this machine."""
    return importlib.util.find_spec("scipy") is not None


def _start(role: Role, descriptor: int) -> subprocess.Popen[bytes]:
    folders = []
    for package in ("numpy", "scipy") if role.scipy else ("numpy",):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            raise SandboxError(f"{package} is not installed")
        folders.append(str(Path(spec.origin).parents[1]))
    settings = {
        "descriptor": descriptor,
        "slow": role.slow,
        "core": role.core,
        "scipy": role.scipy,
        "memory": role.memory,
        "uid": _FIRST_USER + role.index,
        "path": list(dict.fromkeys(folders)),
    }
    environment = {
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
        "LC_ALL": "C.UTF-8",
        "MKL_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "VECLIB_MAXIMUM_THREADS": "1",
    }
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    # -I would ignore PYTHONHASHSEED; -P -s with an environment of ours isolates as well.
    return subprocess.Popen(
        [sys.executable, "-P", "-s", "-S", "-B", str(_ZYGOTE), json.dumps(settings)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        process_group=0,
    )
