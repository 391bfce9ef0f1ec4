"""Connections to one server, each an HTTP client of its own.

A client of httpx looks at every connection it has for each request it makes. With the hundreds
that keep a server full, that took more processor time than all else about a request.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

IDLE_SECONDS = 30.0
"""A connection that was not needed for so long is closed when another one comes back."""


class Connections:
    """As many connections as are in use at once, the one used last taken first.

    `make` returns a client for one of them.
    """

    def __init__(self, make: Callable[[], httpx.AsyncClient]) -> None:
        self._make = make
        self._idle: deque[tuple[float, httpx.AsyncClient]] = deque()
        self._closed = False

    @property
    def idle(self) -> int:
        """How many connections nobody uses now."""
        return len(self._idle)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a connection, for one request at a time."""
        client = self._idle.pop()[1] if self._idle else self._make()
        try:
            yield client
        finally:
            now = time.monotonic()
            self._idle.append((now, client))
            while self._idle and (self._closed or now - self._idle[0][0] > IDLE_SECONDS):
                await self._idle.popleft()[1].aclose()

    async def close(self) -> None:
        """Close all that are idle, and those in use when they come back. Safe to call twice."""
        self._closed = True
        while self._idle:
            await self._idle.pop()[1].aclose()
