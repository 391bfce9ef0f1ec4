"""The valve every new pull passes: it holds back while paused and shuts for good when draining."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Valve:
    """Decides when new work may start; work under way is never touched.

    `room` is awaited before each start and may hold it back (the archive's back-pressure).
    """

    def __init__(self, room: Callable[[], Awaitable[None]]) -> None:
        self._room = room
        self._open = asyncio.Event()
        self._open.set()
        self._draining = False

    @property
    def paused(self) -> bool:
        return not self._open.is_set()

    @property
    def draining(self) -> bool:
        return self._draining

    def pause(self) -> None:
        """Hold back new work until resume()."""
        if not self._draining:
            self._open.clear()

    def resume(self) -> None:
        """Let new work start again."""
        self._open.set()

    def drain(self) -> None:
        """Start no new work ever again; there is no way back."""
        self._draining = True
        self._open.set()

    async def may_start(self) -> bool:
        """Wait until work may start and return True, or return False once draining."""
        await self._open.wait()
        await self._room()
        await self._open.wait()
        return not self._draining
