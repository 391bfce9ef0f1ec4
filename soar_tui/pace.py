"""How fast candidates come: a figure that says something of fast policies and of slow ones."""

from __future__ import annotations

from collections import deque
from typing import Final

_SECONDS: Final = 10.0
_MOST_SECONDS: Final = 60.0
_ENOUGH: Final = 20
"""Candidates that say how fast they come; while fewer do, a look further back is taken."""


class Pace:
    """Candidates per second over the last ten seconds, up to a minute while few come."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def clear(self) -> None:
        """Begin anew: what came before says nothing of what comes now."""
        self._seen.clear()

    def see(self, candidates: int, now: float) -> float | None:
        """Note how many there are by now; return their rate, None before a second has passed.

        Ten a second and more are whole; of fewer two digits are kept, so that few repaints show it.
        """
        seen = self._seen
        seen.append((now, candidates))
        while len(seen) > 2 and self._goes(seen[0], seen[1]):
            seen.popleft()
        elapsed = now - seen[0][0]
        if elapsed <= 1:
            return None
        rate = (candidates - seen[0][1]) / elapsed
        return float(round(rate)) if rate >= 10 else float(f"{rate:.2g}")

    def _goes(self, oldest: tuple[float, int], following: tuple[float, int]) -> bool:
        """Whether what was seen first is too long ago, or more than is needed."""
        now, candidates = self._seen[-1]
        enough = now - following[0] >= _SECONDS and candidates - following[1] >= _ENOUGH
        return enough or now - oldest[0] > _MOST_SECONDS
