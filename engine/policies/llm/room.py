"""Room for so many completions at once: requests of any size share it, by turns."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Room:
    """A semaphore of many places, of which a request takes as many as it asks for completions.

    Of those who wait the lowest turn goes first, among equals the first to come. A large request
    whose turn it is is not overtaken by small ones, so it is never kept waiting for good; one that
    is larger than the room has it to itself.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._free = places
        self._number = count()
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def take(self, wanted: int, turn: int = 0) -> AsyncIterator[None]:
        """Wait for so many places, and give them back in the end."""
        wanted = min(wanted, self._places)
        entry: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (turn, next(self._number), wanted, entry))
        self._let_in()
        try:
            await entry
        except asyncio.CancelledError:
            self._give_back(0 if entry.cancelled() else wanted)
            raise
        try:
            yield
        finally:
            self._give_back(wanted)

    def _give_back(self, places: int) -> None:
        self._free += places
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            _, _, wanted, entry = self._waiting[0]
            if not entry.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                entry.set_result(None)
            heapq.heappop(self._waiting)
