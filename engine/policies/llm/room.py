"""Room for so many completions at once: requests of any size share it, by turns."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Room:
    """A semaphore of many places, of which a request takes as many as it asks for completions.

    Of those who wait, whoever has asked for least so far goes first, and in one's own requests and
    among equals the first to come: so tasks that are searched at once get on alike, and those whose
    programs take longest to run are not all that is left in the end. A large request whose turn it
    is is not overtaken by small ones, so it is never kept waiting for good; one that is larger than
    the room has it to itself.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._free = places
        self._asked: Counter[str] = Counter()
        self._number = count()
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def take(self, wanted: int, who: str | None = None) -> AsyncIterator[None]:
        """Wait for so many places and give them back in the end.

        `who` asks: without a name, as one who has not asked before.
        """
        before = 0
        if who is not None:
            before = self._asked[who]
            self._asked[who] += wanted
        wanted = min(wanted, self._places)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (before, next(self._number), wanted, turn))
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
            _, _, wanted, turn = self._waiting[0]
            if not turn.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                turn.set_result(None)
            heapq.heappop(self._waiting)
