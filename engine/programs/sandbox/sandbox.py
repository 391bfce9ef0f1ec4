"""The sandbox: many callers' programs in, results out, from processes that can do no harm.

Two lanes of zygotes (`zygote.py`), one each per core. Every program first gets `fast_cpu` seconds;
what needs longer starts over in the slow lane, at low priority, with `cpu` seconds per grid. So
endless loops delay each other and not the ordinary programs, and no result depends on the load.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final

from engine.arc import Grid, pack
from engine.config import SandboxConfig
from engine.programs.candidate import Failure, Result
from engine.programs.sandbox import frames
from engine.programs.sandbox.lane import Call, Lane, Limits, Listener, Program
from engine.programs.sandbox.status import (
    SandboxError,
    SandboxStatus,
    level_of,
    refusal,
)
from engine.programs.sandbox.worker import Role, scipy_installed

log = logging.getLogger(__name__)

_MOST_QUEUED: Final = 8192
_AUDITED: Final = 0.005
_COUNTED: Final = frozenset(("timeout", "memory", "crash"))


def _usable_cores() -> list[int] | None:
    """Return the cores this process may use, None where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else None


class Sandbox:
    """Runs programs in isolation; an async context manager that owns its worker processes.

    Workers that cannot be started are gone without, and logged, as long as each lane has one.
    Raises SandboxError on entering when none starts or the isolation reached is below
    `config.minimum`, and at once when workers are to be pinned where that cannot be.
    """

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        cores = _usable_cores()
        if config.pin and cores is None:
            raise SandboxError(
                "sandbox.pin: only Linux can keep a worker on a core; set it to false"
            )
        workers = config.workers or (len(cores) if cores is not None else os.cpu_count() or 1)
        self._cores: Sequence[int | None] = cores if config.pin and cores is not None else (None,)
        scipy = scipy_installed()
        fast = (config.fast_cpu, 0.0, config.wall)
        slow = (config.cpu, min(config.fast_cpu, config.cpu), config.wall)
        self._lean = self._lane(range(workers), fast, slow=False, scipy=False)
        self._slow = self._lane(range(workers, 2 * workers), slow, slow=True, scipy=scipy)
        self._full = self._lane(range(2 * workers, 3 * workers), fast, slow=False, scipy=True)
        self._scipy = scipy
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._error: SandboxError | None = SandboxError("the sandbox is not open")
        self._calls: set[Call] = set()
        self._layers: dict[str, str] = {}
        self._queued = 0
        self._programs = 0
        self._mismatches = 0
        self._kills: Counter[str] = Counter()
        self._opening = True
        self._given_up: list[SandboxError] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Sandbox:
        await self._group.__aenter__()
        self._error = None
        try:
            self._tasks += self._lean.start(self._group)
            self._tasks += self._slow.start(self._group)
            while self._lean.starting:
                await self._something_new()
                self._check_usable()
        except BaseException:
            await self._close()
            raise
        self._opening = False
        self._log_given_up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def run(
        self,
        sources: Sequence[str],
        inputs: Sequence[Grid],
        *,
        confirm: Sequence[bytes] | None = None,
    ) -> list[tuple[Result, ...]]:
        """Run every program on every input grid; results per source in order, one per input.

        `confirm` holds the packed outputs of the first len(confirm) inputs: a program whose
        results from a batch equal them all is run again in a process of its own, and those
        results count. They stay in this process. Programs of concurrent calls share batches.
        Raises SandboxError when no worker can be had, ValueError for more than 255 inputs.
        """
        if len(inputs) > frames.MAX_INPUTS:
            raise ValueError(f"{len(inputs)} inputs: at most {frames.MAX_INPUTS} per call")
        if confirm is not None and len(confirm) > len(inputs):
            raise ValueError(f"{len(confirm)} outputs to confirm for {len(inputs)} inputs")
        self._check_usable()
        while self._queued >= _MOST_QUEUED:
            await self._something_new()
            self._check_usable()
        if not inputs or not sources:
            return [() for _ in sources]
        grids = frames.encode_grids([pack(grid) for grid in inputs])
        call = Call(len(sources))
        self._calls.add(call)
        self._queued += len(sources)
        try:
            for index, source in enumerate(sources):
                self._enqueue(
                    Program(
                        call,
                        index,
                        source.encode("utf-8", "surrogatepass"),
                        grids,
                        tuple(confirm or ()),
                    ),
                    scipy="scipy" in source,
                )
            self._lean.pump()
            self._full.pump()
            await call.done
        finally:
            self._calls.discard(call)
        return call.results

    @property
    def status(self) -> SandboxStatus:
        """What the sandbox is and has done, now."""
        lanes = (self._lean, self._slow, self._full)
        workers = [worker for lane in lanes for worker in lane.workers]
        return SandboxStatus(
            level=level_of(self._layers, as_root=_as_root()),
            layers=dict(self._layers),
            workers=sum(worker.up for worker in workers),
            programs=self._programs,
            kills=dict(self._kills),
            queued=self._queued,
            mismatches=self._mismatches,
            restarts=sum(worker.restarts for worker in workers),
        )

    def _lane(self, indexes: range, limits: Limits, *, slow: bool, scipy: bool) -> Lane:
        memory = self._config.memory_mb << 20
        roles = [
            Role(index, slow, scipy, memory, self._cores[place % len(self._cores)])
            for place, index in enumerate(indexes)
        ]
        listener = Listener(
            self._finished, self._to_slow_lane, self._learn_layers, self._give_up, self._break
        )
        return Lane(roles, limits, listener)

    def _enqueue(self, program: Program, *, scipy: bool) -> None:
        if len(program.source) > frames.MAX_SOURCE:
            text = f"longer than {frames.MAX_SOURCE} bytes"
            program.results = [Failure("refused", text)] * program.number_of_grids
            self._deliver(program)
            return
        program.lane = self._full if scipy and self._scipy else self._lean
        if not program.lane.started:
            self._tasks += program.lane.start(self._group)
        program.lane.queue.append(program)

    def _to_slow_lane(self, program: Program) -> None:
        program.alone = True
        self._slow.queue.append(program)
        self._slow.pump()

    def _finished(self, program: Program, shared: bool) -> None:
        """Take a program's results: from a batch they may need confirming, else they count."""
        if program.call.done.done():
            self._deliver(program)
        elif shared and (self._all_right(program) or random.random() < _AUDITED):
            program.first, program.results = program.results, []
            program.alone = True
            program.lane.queue.appendleft(program)
            program.lane.pump()
            program.lane.pump()  # its worker may have gone to rest with the batch
        else:
            if program.first is not None and program.results != program.first:
                self._mismatches += 1
            self._deliver(program)

    @staticmethod
    def _all_right(program: Program) -> bool:
        expected = program.expected
        return bool(expected) and tuple(program.results[: len(expected)]) == expected

    def _deliver(self, program: Program) -> None:
        call = program.call
        self._queued -= 1
        self._news.set()
        self._programs += 1
        failures = {r.kind for r in program.results if isinstance(r, Failure)}
        self._kills.update(failures & _COUNTED)
        call.results[program.index] = tuple(program.results)
        call.left -= 1
        if not call.left and not call.done.done():
            call.done.set_result(None)

    def _learn_layers(self, layers: Mapping[str, str]) -> None:
        """Take in what a worker has reached. Raises SandboxError when that will not do."""
        known = self._layers
        together = known | {
            layer: state for layer, state in layers.items() if known.get(layer, "on") == "on"
        }
        reason = refusal(level_of(together, as_root=_as_root()), together, self._config.minimum)
        if reason is not None:
            raise SandboxError(reason)
        self._layers = together
        self._news.set()

    def _give_up(self, error: SandboxError) -> None:
        """Go on without a worker; whether opening succeeds at all is known only at its end."""
        self._given_up.append(error)
        self._news.set()
        if not self._opening:
            self._log_given_up()

    def _log_given_up(self) -> None:
        for error in self._given_up:
            log.warning("the sandbox goes on without one of its workers: %s", error)
        self._given_up.clear()

    def _break(self, error: SandboxError) -> None:
        """Give up for good: every caller, now and later, gets the error."""
        self._error = error
        self._news.set()
        for call in self._calls:
            if not call.done.done():
                call.done.set_exception(error)

    def _check_usable(self) -> None:
        if self._error is not None:
            raise self._error

    async def _something_new(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _close(self) -> None:
        self._break(self._error or SandboxError("the sandbox is closed"))
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)


def _as_root() -> bool:
    return os.getuid() == 0
