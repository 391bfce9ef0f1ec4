"""A lane: one queue of programs, merged into batches over the workers that serve it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from engine.programs.candidate import Failure, Result
from engine.programs.sandbox import frames
from engine.programs.sandbox.frames import FrameError, decode_results
from engine.programs.sandbox.status import SandboxError
from engine.programs.sandbox.worker import Role, Worker

Limits = tuple[float, float, float]
"""CPU seconds, CPU seconds per grid after a hang (0 in the fast lane), seconds stuck."""

_DEPTH: Final = 2
"""Requests a fast worker holds at once, so that it never waits for us."""
_SMALLEST_BATCH: Final = 16
"""A fork costs as much as some programs: so many stay together, even when another worker is free
or when a busy machine makes every batch seem slow."""
_LARGEST_BATCH: Final = 128
_BATCH_SECONDS: Final = 0.15
_BATCH_BYTES: Final = 8 << 20
_MOST_TRIES: Final = 3


class Call:
    """One caller's programs: their results so far, and the future that wakes the caller."""

    __slots__ = ("done", "left", "results")

    def __init__(self, programs: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.results: list[tuple[Result, ...]] = [()] * programs
        self.left = programs


class Program:
    """One program on its way: what it is, what was found so far, and whom to tell."""

    __slots__ = (
        "alone",
        "call",
        "expected",
        "first",
        "grids",
        "index",
        "lane",
        "number_of_grids",
        "results",
        "source",
        "tries",
    )

    def __init__(
        self,
        call: Call,
        index: int,
        source: bytes,
        grids: bytes,
        expected: tuple[bytes, ...],
    ) -> None:
        self.lane: Lane
        self.call = call
        self.index = index
        self.source = source
        self.grids = grids
        self.number_of_grids = grids[0]
        self.expected = expected
        self.alone = False
        self.first: list[Result] | None = None
        self.results: list[Result] = []
        self.tries = 0


class _Job:
    """A request under way at a worker."""

    __slots__ = ("left", "programs", "started")

    def __init__(self, programs: list[Program]) -> None:
        self.programs: list[Program | None] = list(programs)
        self.left = len(programs)
        self.started = time.monotonic()


@dataclass(frozen=True, slots=True)
class Listener:
    """Whom a lane tells what happened.

    A program's results are complete (and came from a batch); a program needs the slow lane; a
    worker is up with these layers; one of several workers cannot be had any more; none can.
    """

    finished: Callable[[Program, bool], None]
    slow: Callable[[Program], None]
    ready: Callable[[Mapping[str, str]], None]
    fewer: Callable[[SandboxError], None]
    broken: Callable[[SandboxError], None]


class Lane:
    """Feeds its workers from one queue of programs and tells its listener what came of them."""

    def __init__(
        self,
        roles: Sequence[Role],
        limits: Limits,
        listener: Listener,
    ) -> None:
        self.queue: deque[Program] = deque()
        self.workers = [
            Worker(role, partial(self._take, n), self._is_ready, partial(self._lost, n))
            for n, role in enumerate(roles)
        ]
        self._jobs: list[dict[int, _Job]] = [{} for _ in roles]
        self._free_since = [0.0] * len(roles)
        self._limits = limits
        self._tell = listener
        self._number = 0
        self._seconds = 0.002  # per program, a moving average
        self._kept: list[Worker] = []
        self.started = False

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Start the workers, each a task that keeps its zygote running."""
        self.started = True
        self._kept = list(self.workers)
        return [group.create_task(self._keep(worker)) for worker in self.workers]

    async def _keep(self, worker: Worker) -> None:
        try:
            await worker.run()
        except SandboxError as error:
            self._kept.remove(worker)
            if self._kept:
                self._tell.fewer(error)
            else:
                self._tell.broken(SandboxError(f"no worker of the sandbox starts: {error}"))

    @property
    def starting(self) -> bool:
        """Whether a worker that is not given up is still to come."""
        return not all(worker.up for worker in self._kept)

    def _is_ready(self, layers: Mapping[str, str]) -> None:
        self._tell.ready(layers)
        self.pump()

    def pump(self) -> None:
        """Give every worker that has room a batch; a small one only when all of them are idle."""
        fast = not self._limits[1]
        depth, largest = (_DEPTH, _LARGEST_BATCH) if fast else (1, 1)
        for level in range(depth):
            for n, worker in enumerate(self.workers):
                if worker.up and len(self._jobs[n]) == level and self._worth_sending(fast):
                    self._send(n, self._batch(depth, largest))

    def _worth_sending(self, fast: bool) -> bool:
        """Whether to fork for what is queued, rather than let it grow until a batch comes back."""
        return len(self.queue) >= (_SMALLEST_BATCH if fast and any(self._jobs) else 1)

    def _batch(self, depth: int, largest: int) -> list[Program]:
        share = -(-len(self.queue) // (len(self.workers) * depth))
        wanted = min(share, int(_BATCH_SECONDS / self._seconds))
        size = min(largest, max(_SMALLEST_BATCH, wanted))
        batch: list[Program] = []
        room = _BATCH_BYTES
        while self.queue and len(batch) < size and room > 0:
            program = self.queue.popleft()
            if program.call.done.done():
                self._tell.finished(program, False)
            else:
                batch.append(program)
                room -= len(program.source) + len(program.grids)
        return batch

    def _send(self, n: int, batch: list[Program]) -> None:
        if not batch:
            return
        self._number = self._number % 0xFFFFFFFF + 1  # never 0, which is nobody's
        request = frames.encode_request(
            self._number, self._limits, [(p.source, p.grids, p.alone) for p in batch]
        )
        self._jobs[n][self._number] = _Job(batch)
        self.workers[n].send(request)

    def _take(self, n: int, number: int, index: int, kind: int, payload: bytes) -> None:
        job = self._jobs[n].get(number)
        if job is None or index >= len(job.programs):
            return
        program = job.programs[index]
        if program is None:
            return
        if kind == frames.SLOW:
            program.results = []
            self._settle(n, number, job, index)
            self._tell.slow(program)
            return
        shared = kind == frames.SHARED
        due = program.number_of_grids if shared else 1
        try:
            results = decode_results(payload, at_most=due)
        except FrameError:
            results = []
        if len(results) == due:
            program.results += results
        else:
            failure = Failure("crash", "sent what no program sends")
            program.results = [failure] * program.number_of_grids
        if len(program.results) == program.number_of_grids:
            self._settle(n, number, job, index)
            self._tell.finished(program, shared)

    def _settle(self, n: int, number: int, job: _Job, index: int) -> None:
        job.programs[index] = None
        job.left -= 1
        if job.left:
            return
        del self._jobs[n][number]
        now = time.monotonic()
        seconds = (now - max(job.started, self._free_since[n])) / len(job.programs)
        self._free_since[n] = now
        self._seconds += 0.2 * (seconds - self._seconds)
        if not self._jobs[n]:
            self.workers[n].rest()
        self.pump()

    def _lost(self, n: int) -> None:
        jobs, self._jobs[n] = self._jobs[n], {}
        for job in jobs.values():
            for program in job.programs:
                if program is None:
                    continue
                program.results = []
                program.alone = True
                program.tries += 1
                if program.tries < _MOST_TRIES:
                    self.queue.appendleft(program)
                else:
                    failure = Failure("crash", f"its worker was lost {_MOST_TRIES} times")
                    program.results = [failure] * program.number_of_grids
                    self._tell.finished(program, False)
        self.pump()
