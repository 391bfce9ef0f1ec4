"""Room for so many completions at once: requests of any size share it, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """A semaphore of many places, of which a request takes as many as it asks for completions.

    A large request is not overtaken by small ones, so it is never kept waiting for good; one that
    is larger than the room has it to itself.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._free = places
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def take(self, wanted: int) -> AsyncIterator[None]:
        """Wait for so many places and give them back in the end."""
        wanted = min(wanted, self._places)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            self._give_back(0 if turn.cancelled() else wanted)
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
            wanted, turn = self._waiting[0]
            if not turn.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                turn.set_result(None)
            self._waiting.popleft()
