"""A queue with a thread behind it that commits what is queued in batches, and says when it has.

It knows nothing of SQL: it hands each batch to a function. When that function raises, the thread
ends, and whoever puts or awaits anything from then on gets the error.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from engine.archive.schema import ArchiveError
from engine.patience import within

_BATCH_SECONDS: Final = 0.03
_QUEUE_ROWS: Final = 4_000
_FLUSH_SECONDS: Final = 120.0

_Unit = TypeVar("_Unit")


class Committer(Generic[_Unit]):
    """Commits units in the order put, and of each status only the last value put.

    `commit` is called in the thread with a batch of units and statuses; it makes both durable or
    raises. `name` is of what is written, for messages. Everything else is called from one event
    loop's thread.
    """

    def __init__(
        self, name: str, commit: Callable[[Sequence[_Unit], dict[str, str]], None]
    ) -> None:
        self._name = name
        self._commit = commit
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._hurried = threading.Condition(self._lock)
        self._units: list[_Unit] = []
        self._statuses: dict[str, str] = {}
        self._rows_waiting = 0
        self._put = self._committed = 0
        self._waiters: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._hurry = self._closing = False
        self._error: ArchiveError | None = None
        self._thread = threading.Thread(target=self._work, name=f"{name} writer", daemon=True)
        self._thread.start()

    def put(self, unit: _Unit, rows: int) -> None:
        """Queue a unit that weighs so many rows. Raises ArchiveError once stopped or closed."""
        with self._lock:
            self._check()
            self._units.append(unit)
            self._rows_waiting += rows
            self._put += 1
            self._filled.notify()

    def put_status(self, key: str, value: str) -> None:
        """Queue a status over any that waits under its key. Raises ArchiveError like put."""
        with self._lock:
            self._check()
            self._statuses[key] = value
            self._put += 1
            self._filled.notify()

    async def flush(self) -> None:
        """Return once everything put so far is committed. Raises ArchiveError if it cannot be."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._raise_error()
            if self._committed == self._put:
                return
            done: asyncio.Future[None] = loop.create_future()
            self._waiters.append((self._put, loop, done))
            self._hurry = True
            self._hurried.notify()
        try:
            await within(_FLUSH_SECONDS, done)
        except TimeoutError as error:
            raise ArchiveError(
                f"{self._name}: nothing committed for {_FLUSH_SECONDS:.0f} s; is the disk stuck?"
            ) from error

    async def ready(self) -> None:
        """Return once the queue has room. Raises ArchiveError like flush."""
        self._raise_error()
        if self._rows_waiting >= _QUEUE_ROWS:
            await self.flush()

    async def close(self) -> None:
        """Commit what is queued and end the thread. Safe to call twice; raises like flush."""
        with self._lock:
            self._closing = self._hurry = True
            self._filled.notify()
            self._hurried.notify()
        await asyncio.to_thread(self._thread.join)
        self._raise_error()

    def _check(self) -> None:
        self._raise_error()
        if self._closing:
            raise ArchiveError(f"{self._name}: this writer is closed")

    def _raise_error(self) -> None:
        if self._error is not None:
            raise ArchiveError(str(self._error)) from self._error

    def _work(self) -> None:
        while True:
            with self._lock:
                self._filled.wait_for(lambda: self._units or self._statuses or self._closing)
                # More comes in while the batch waits; only who flushes or closes cuts that short.
                self._hurried.wait_for(lambda: self._hurry, _BATCH_SECONDS)
                units, self._units = self._units, []
                statuses, self._statuses = self._statuses, {}
                rows, put = self._rows_waiting, self._put
                self._hurry = self._closing
            if not units and not statuses:
                return
            try:
                self._commit(units, statuses)
            except Exception as error:
                self._stop(error)
                return
            with self._lock:
                self._rows_waiting -= rows
                self._committed = put
                self._release(put)

    def _stop(self, cause: Exception) -> None:
        error = cause
        if not isinstance(error, ArchiveError):
            error = ArchiveError(f"{self._name}: cannot record: {cause!r}")
            error.__cause__ = cause
        with self._lock:
            self._error = error
            self._release(self._put)

    def _release(self, committed: int) -> None:
        """Wake those who wait for what was put up to `committed`."""
        waiting, self._waiters = self._waiters, []
        for ticket, loop, done in waiting:
            if ticket > committed:
                self._waiters.append((ticket, loop, done))
                continue
            # A loop that is closed has nobody left to tell.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, done, self._error)


def _settle(done: asyncio.Future[None], error: ArchiveError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(ArchiveError(str(error)))
