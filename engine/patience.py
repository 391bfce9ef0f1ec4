"""Waiting with a limit that counts only time in which this process ran."""

from __future__ import annotations

import asyncio
from typing import TypeVar

_SLICE_SECONDS = 1.0

Result = TypeVar("Result")


async def within(seconds: float, awaited: asyncio.Future[Result]) -> Result:
    """Return what a future gives; it is cancelled with the wait, and when its time is up.

    Raises TimeoutError when it gives nothing for `seconds`. A stop of the whole process, as by
    SIGSTOP or a frozen container, counts for a second at most, however long: what came in
    meanwhile is still to be looked at when it goes on.
    """
    left = seconds
    try:
        while left > 0:
            waited = min(left, _SLICE_SECONDS)
            done, _ = await asyncio.wait([awaited], timeout=waited)
            if done:
                return awaited.result()
            left -= waited
        raise TimeoutError
    finally:
        awaited.cancel()
