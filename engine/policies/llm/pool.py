"""Several servers as one: each task keeps to its own, unless that one is down or has a queue."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.policies.llm.client import ATTEMPTS, ChatClient, Reply
from engine.policies.llm.errors import BusyError, EndpointError, ReplyError, UnreachableError
from engine.policies.llm.prompts import Messages

PATIENCE_SECONDS = 900.0
"""How long all servers may be down before the policy gives up."""

SLACK = 0.25
"""So much more of its capacity may a task's own server have to do than the idlest before the task
goes elsewhere: prompts in the cache are worth a short queue, an idle server is worth more."""

GARBLED = 3
"""From so many replies in a row that are no chat completion on, a server counts as down: a page of a
proxy or of a maintenance comes for every request, and must not use up the run's budget."""

REST_SECONDS = 5.0
"""How long a server that failed is left alone; doubles with each failure up to a minute."""

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(slots=True)
class _Health:
    """What is known of a server.

    Failures since its last answer, replies that were none since its last good one, until when it
    rests, completions asked of it now.
    """

    failures: int = 0
    garbled: int = 0
    until: float = 0.0
    asked: int = 0


class EndpointPool:
    """Sends each request to a server that is up, the same one for a task as long as that is fair.

    Sticky, because a server that has seen a task has its prompt in the cache. Which server is a
    task's own is decided by rendezvous hashing, so one that fails moves only its own tasks; a
    server with more to do than others, for its capacity, is passed over.

    On every server the task that has asked for least so far, of all of them together, goes first:
    so tasks that are searched at once get on alike, and those whose programs take longest to run
    are not all that is left in the end.
    """

    def __init__(
        self,
        clients: Sequence[ChatClient],
        *,
        patience: float = PATIENCE_SECONDS,
        rest: float = REST_SECONDS,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._clients = list(clients)
        self._health = [_Health() for _ in clients]
        self._patience = patience
        self._rest = rest
        self._await_ready = ready
        self._down_since: float | None = None
        self._asked: Counter[str] = Counter()

    @property
    def healthy(self) -> int:
        """How many servers are not resting after a failure."""
        now = time.monotonic()
        return sum(health.until <= now for health in self._health)

    @property
    def clients(self) -> tuple[ChatClient, ...]:
        """The clients in the order they were given."""
        return tuple(self._clients)

    @property
    def capacity(self) -> int:
        """Completions all servers together have room for at once."""
        return sum(client.endpoint.capacity for client in self._clients)

    @property
    def servers(self) -> dict[str, str]:
        """How each server stands, by its URL."""
        now = time.monotonic()
        told = {}
        for client, health in zip(self._clients, self._health, strict=True):
            state = "up" if not health.failures else "on trial"
            if health.until > now:
                state = f"rests for {health.until - now:.0f} s after {health.failures} failures"
            told[client.endpoint.url] = (
                f"{state}, {health.asked} of {client.endpoint.capacity} asked"
            )
        return told

    async def ready(self) -> None:
        """Wait until requests may be sent."""
        if self._await_ready is not None:
            await self._await_ready()

    def own(self, task_id: str) -> ChatClient:
        """Return the client of the server a task goes to now: its own, or the next with room."""
        if len(self._clients) == 1:
            return self._clients[0]
        order = self._order(task_id)
        up = [index for index in order if self._may_be_asked(self._health[index])]
        if not up:
            return self._clients[min(order, key=lambda index: self._health[index].until)]
        loads = [self._health[index].asked / self._clients[index].endpoint.capacity for index in up]
        most = min(loads) + SLACK
        chosen = next(index for index, load in zip(up, loads, strict=True) if load <= most)
        return self._clients[chosen]

    async def complete(self, task_id: str, messages: Messages, n: int, max_tokens: int) -> Reply:
        """Ask the task's server for `n` completions, another one when it is down.

        A body that is no chat completion gives no completion, GARBLED of them in a row a server that
        is down. Raises UnreachableError, BusyError or ReplyError when all have been down for the
        pool's patience, and what ChatClient.complete raises otherwise.
        """
        turn = self._asked[task_id]
        self._asked[task_id] += n

        async def ask(client: ChatClient, attempts: int) -> Reply:
            health = self._health[self._clients.index(client)]
            try:
                reply = await client.complete(messages, n, max_tokens, attempts=attempts, turn=turn)
            except ReplyError as error:
                health.garbled += 1
                if health.garbled >= GARBLED:
                    raise
                log.warning("%s", error)
                return Reply((), n)
            health.garbled = 0
            return reply

        return await self._insist(task_id, n, ask)

    async def fits(self, task_id: str, messages: Messages, tokens: int) -> int | None:
        """Ask the task's server what ChatClient.fits says, another one when it is down.

        One that gives no count counts as down. Raises as `complete` does, or ReplyError.
        """

        async def ask(client: ChatClient, attempts: int) -> int | None:
            return await client.fits(messages, tokens, attempts=attempts)

        own = self.own(task_id)
        if not own.must_count(messages, tokens):
            return await own.fits(messages, tokens)
        return await self._insist(task_id, 1, ask)

    async def _insist(
        self, task_id: str, places: int, ask: Callable[[ChatClient, int], Awaitable[T]]
    ) -> T:
        """Ask the task's server, the next when it is down, until all were for the pool's patience.

        `ask` is given a client and how often it may try; it takes so many places meanwhile.
        """
        while True:
            client = self.own(task_id)
            health = self._health[self._clients.index(client)]
            health.asked += places
            try:
                await asyncio.sleep(max(0.0, health.until - time.monotonic()))
                await self.ready()
                # While others are up, a server that fails twice is not worth waiting for.
                answer = await ask(client, ATTEMPTS if self.healthy < 2 else 2)
            except (UnreachableError, BusyError, ReplyError) as error:
                self._rests(client.endpoint.url, health, error)
                if self._down_for() >= self._patience:
                    raise
                continue
            finally:
                health.asked -= places
            health.failures, health.until = 0, 0.0
            self._down_since = None
            return answer

    def _down_for(self) -> float:
        """Return the seconds since every server has failed and none has answered, -1 when one has.

        It is not a request's age that counts: most of that may have been spent in a queue.
        """
        if not all(health.failures for health in self._health):
            return -1.0
        now = time.monotonic()
        if self._down_since is None:
            self._down_since = now
        return now - self._down_since

    def _may_be_asked(self, health: _Health) -> bool:
        """Whether a server is up, or rested from its failure and not yet asked whether it is."""
        rested = health.until <= time.monotonic()
        return rested and (not health.failures or not health.asked)

    def _rests(self, url: str, health: _Health, error: EndpointError) -> None:
        if health.until > time.monotonic():
            return  # asked before it was known to be down
        health.failures += 1
        seconds = min(self._rest * 2 ** (health.failures - 1), 60.0)
        health.until = time.monotonic() + seconds
        log.warning("%s; %s rests for %g s", error, url, seconds)

    def _order(self, task_id: str) -> list[int]:
        def weight(index: int) -> bytes:
            url = self._clients[index].endpoint.url
            return hashlib.blake2b(f"{task_id}\n{url}".encode(), digest_size=8).digest()

        return sorted(range(len(self._clients)), key=weight)

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        for client in self._clients:
            await client.close()
