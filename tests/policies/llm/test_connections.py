"""Connections to a real server: as many as are needed at once, and no longer than they are."""

import asyncio
from contextlib import asynccontextmanager

import httpx

from engine.policies.llm import connections
from engine.policies.llm.connections import Connections


class Counting:
    """Answers every request, once `let` is set; counts the connections it has."""

    def __init__(self):
        self.open, self.ever, self.waiting = 0, 0, 0
        self.let, self.changed = asyncio.Event(), asyncio.Condition()

    async def until(self, condition):
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(condition)

    async def _count(self, **changes):
        async with self.changed:
            for name, by in changes.items():
                setattr(self, name, getattr(self, name) + by)
            self.changed.notify_all()

    async def _serve(self, reader, writer):
        await self._count(open=1, ever=1)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self._count(waiting=1)
                await self.let.wait()
                await self._count(waiting=-1)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            await self._count(open=-1)


@asynccontextmanager
async def counted():
    """Yield a server that counts, and connections to it; what they are asked for they fetch."""
    server = Counting()
    async with await asyncio.start_server(server._serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        made = Connections(lambda: httpx.AsyncClient(trust_env=False))

        async def fetch():
            async with made.one() as http:
                return (await http.get(f"http://127.0.0.1:{port}/")).text

        yield server, made, fetch
        await made.close()


async def test_as_many_connections_as_requests_at_once_and_then_the_same_ones():
    async with counted() as (server, made, fetch), asyncio.TaskGroup() as group:
        asked = [group.create_task(fetch()) for _ in range(5)]
        await server.until(lambda: server.waiting == 5)
        server.let.set()
        assert [await one for one in asked] == ["ok"] * 5
        for _ in range(20):
            assert await fetch() == "ok"
        assert (server.ever, made.idle) == (5, 5)


async def test_what_is_not_needed_for_long_is_closed(monkeypatch):
    async with counted() as (server, _made, fetch):
        server.let.set()
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(fetch())
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
        await fetch()
        await server.until(lambda: server.open <= 1)


async def test_a_cancelled_request_leaves_its_connection_usable():
    async with counted() as (server, made, fetch):
        under_way = asyncio.ensure_future(fetch())
        await server.until(lambda: server.waiting == 1)
        under_way.cancel()
        await asyncio.wait([under_way])
        server.let.set()
        assert await fetch() == "ok"
        assert made.idle == 1


async def test_one_in_use_while_all_are_closed_is_closed_when_it_comes_back():
    async with counted() as (server, made, fetch):
        under_way = asyncio.ensure_future(fetch())
        await server.until(lambda: server.waiting == 1)
        await made.close()
        server.let.set()
        assert await under_way == "ok"
        assert made.idle == 0
        await server.until(lambda: server.open == 0)
