"""Candidates by id: the latest ones from memory, all before them from the archive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from engine.programs.candidate import Candidate
from engine.search.rex import may_be_arm

LATEST = 4_096
"""Arms held, about as many candidates as the archive's writer lets wait for their commit."""


class Recall:
    """What a search repairs: the candidate of an arm that was drawn, without the reply it came in.

    `read` returns a candidate of the archive by its id, None before it is committed; `flush` returns
    when all that was recorded is.
    """

    def __init__(
        self, read: Callable[[int], Candidate | None], flush: Callable[[], Awaitable[None]]
    ) -> None:
        self._read, self._flush = read, flush
        self._latest: OrderedDict[int, Candidate] = OrderedDict()

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Remember candidates that were just recorded, for as long as there is room."""
        for candidate in candidates:
            if may_be_arm(candidate):
                self._latest[candidate.id] = replace(candidate, reply=None)
        while len(self._latest) > LATEST:
            self._latest.popitem(last=False)

    async def __call__(self, identifier: int) -> Candidate:
        """Return a recorded candidate. Raises LookupError when there is none of that id."""
        found = self._latest.get(identifier) or self._read(identifier)
        if found is None:
            await self._flush()
            found = self._read(identifier)
        if found is None:
            raise LookupError(f"candidate {identifier} is not in the archive")
        return found
