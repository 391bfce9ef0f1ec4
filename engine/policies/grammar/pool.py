"""Worker processes: one task's calls stay with one worker, and a killed worker is replaced.

Every worker is a pool of one process, so that a death breaks one worker's calls only; they are
put to its successor again, which answers the same because answers depend on nothing but the
call. A worker ends itself when its parent is gone, however that died.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

from engine.patience import within
from engine.policies.protocol import PolicyError

_HUNG_SECONDS = 600.0
"""How long a worker may answer none of its calls before it counts as hung; no ordinary call takes
near so long, but many may wait for their turn."""
_ATTEMPTS = 4
"""How many workers a call may lose before it is blamed itself."""
_REMEMBERED_TASKS = 4096
_NICE = 5
_SINGLE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class WorkerPool:
    """Runs functions in a fixed number of worker processes, chosen by a key.

    A worker that answers none of its calls for `hung` seconds is killed.
    """

    def __init__(self, workers: int, *, hung: float = _HUNG_SECONDS) -> None:
        self._hung = hung
        self._executors: list[ProcessPoolExecutor | None] = [None] * workers
        self._ids: list[Future[int] | None] = [None] * workers
        self._calls = [0] * workers
        self._answered = [0] * workers
        self._homes: OrderedDict[bytes, int] = OrderedDict()
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return sum(self._calls)

    @property
    def closed(self) -> bool:
        return self._closed

    async def warm_up(self) -> list[int]:
        """Start all workers and return their process ids."""
        async with asyncio.TaskGroup() as group:
            ids = [
                group.create_task(self._run_on(worker, os.getpid))
                for worker in range(len(self._executors))
            ]
        return [each.result() for each in ids]

    async def run(
        self,
        key: bytes,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **keywords: Parameters.kwargs,
    ) -> Result:
        """Run a module-level function in the worker that has the key.

        Raises PolicyError when the pool is closed, when workers die under the call again and
        again, or when it hangs. Cancelling gives the place in the queue back; a call that has
        begun runs on in its worker and its answer is dropped.
        """
        return await self._run_on(self._home(key), function, *arguments, **keywords)

    async def close(self) -> None:
        """End all workers, calls under way included. Safe to call twice."""
        self._closed = True
        for worker, executor in enumerate(self._executors):
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
                self._kill(worker)
        for executor in self._executors:
            if executor is not None:
                await asyncio.to_thread(executor.shutdown)
        self._executors = [None] * len(self._executors)

    async def _run_on(
        self,
        worker: int,
        function: Callable[Parameters, Result],
        *arguments: Parameters.args,
        **keywords: Parameters.kwargs,
    ) -> Result:
        self._calls[worker] += 1
        try:
            for _ in range(_ATTEMPTS):
                executor = self._executor(worker)
                try:
                    call = executor.submit(function, *arguments, **keywords)
                    return await self._answer(worker, call)
                except BrokenProcessPool:
                    self._replace(worker, executor)
            raise PolicyError(f"a call lost its worker process {_ATTEMPTS} times")
        finally:
            self._calls[worker] -= 1

    async def _answer(self, worker: int, call: Future[Result]) -> Result:
        waiting = asyncio.wrap_future(call)
        try:
            while True:
                answered = self._answered[worker]
                try:
                    return await within(self._hung, asyncio.shield(waiting))
                except TimeoutError as error:
                    if waiting.done():
                        return waiting.result()
                    if self._answered[worker] == answered:
                        self._kill(worker)
                        raise PolicyError(
                            f"a worker gave no answer in {self._hung:.0f} s"
                        ) from error
        except asyncio.CancelledError as error:
            caller = asyncio.current_task()
            if self._closed and caller is not None and not caller.cancelling():
                raise PolicyError("the policy was closed during a call") from error
            raise
        finally:
            if waiting.done() and not waiting.cancelled():
                self._answered[worker] += 1
            waiting.cancel()

    def _executor(self, worker: int) -> ProcessPoolExecutor:
        if self._closed:
            raise PolicyError("the policy is closed")
        executor = self._executors[worker]
        if executor is None:
            executor = self._executors[worker] = ProcessPoolExecutor(
                max_workers=1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin_worker,
            )
            with _single_threaded():
                self._ids[worker] = executor.submit(os.getpid)
            # The worker has its own end by now. With ours open, reading half an answer of a worker
            # killed in its midst would wait for ever for the other half.
            executor._result_queue._writer.close()  # type: ignore[attr-defined]  # not in typeshed
        return executor

    def _replace(self, worker: int, broken: ProcessPoolExecutor) -> None:
        if self._executors[worker] is broken and not self._closed:
            self._executors[worker] = None
            broken.shutdown(wait=False)

    def _kill(self, worker: int) -> None:
        started = self._ids[worker]
        if started is not None and started.done() and started.exception() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(started.result(), signal.SIGKILL)

    def _home(self, key: bytes) -> int:
        """Return the worker of a key: the one that had it before, else the least busy."""
        worker = self._homes.pop(key, None)
        if worker is None:
            tasks = list(self._homes.values())
            worker = min(range(len(self._calls)), key=lambda w: (self._calls[w], tasks.count(w)))
        self._homes[key] = worker
        if len(self._homes) > _REMEMBERED_TASKS:
            self._homes.popitem(last=False)
        return worker


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes started inside inherit an environment that keeps numpy to one thread.

    The variables are read when numpy is loaded, before a worker's own code can set them.
    """
    before = {name: os.environ.get(name) for name in _SINGLE_THREAD}
    os.environ.update(dict.fromkeys(_SINGLE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin_worker() -> None:
    """Make a fresh process a good worker: polite, deaf to Ctrl-C, gone when its parent is."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
