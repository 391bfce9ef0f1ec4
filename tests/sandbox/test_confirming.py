"""Programs that are run a second time in a process of their own: none waits, none is forgotten."""

import asyncio

import pytest

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox, sandbox

GRID = as_grid([[1, 2], [3, 4]])
RIGHT = [pack(GRID)]
BY_ADDRESS = (
    "def transform(grid):\n"
    "    parts = [lambda: 1, lambda: 2, lambda: 3, lambda: 4, lambda: 5, lambda: 6, lambda: 7]\n"
    "    return [[parts.index(part) for part in set(parts)]]"
)
"""Ordered by memory addresses, so that a process that has run others gives something else."""


def right(number: int) -> str:
    return f"def transform(grid):\n    return grid  # {number}"


def wrong(number: int) -> str:
    return f"def transform(grid):\n    return [[{number % 10}]]"


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_confirmation_waits_for_nobody_elses_results(workers):
    """Once it hung: the worker had gone to rest, and no other result came to wake it."""
    async with Sandbox(SandboxConfig(workers=workers)) as opened:
        for size in (*range(1, 20), 40, 80, 300):
            async with asyncio.timeout(150):
                results = await opened.run(
                    [right(number) for number in range(size)], [GRID], confirm=RIGHT
                )
            assert results == [tuple(RIGHT)] * size
        for place in range(9):
            sources = [right(n) if n == place else wrong(n) for n in range(9)]
            async with asyncio.timeout(150):
                results = await opened.run(sources, [GRID], confirm=RIGHT)
            assert [n for n, result in enumerate(results) if result == tuple(RIGHT)] == [place]
        assert opened.status.queued == 0
        assert opened.status.mismatches == 0


async def test_many_confirmations_at_once_beside_loops():
    async with Sandbox(SandboxConfig(workers=2, cpu=0.2)) as opened, asyncio.timeout(150):
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(opened.run([right(n), wrong(n)], [GRID], confirm=RIGHT))
                for n in range(200)
            ]
            loops = group.create_task(
                opened.run(["def transform(grid):\n    while True: pass"] * 4, [GRID])
            )
        assert all(call.result()[0] == tuple(RIGHT) for call in calls)
        assert all(result.kind == "timeout" for (result,) in loops.result())


async def test_a_cancelled_call_forgets_what_was_to_be_confirmed():
    async with Sandbox(SandboxConfig(workers=1)) as opened, asyncio.timeout(150):
        for number in range(20):
            call = asyncio.create_task(
                opened.run([right(n) for n in range(50)], [GRID], confirm=RIGHT)
            )
            for _ in range(number):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
        assert await opened.run([right(0)], [GRID], confirm=RIGHT) == [tuple(RIGHT)]


async def test_audits_find_programs_whose_process_matters(monkeypatch):
    sources = [f"{BY_ADDRESS}  # {number}" for number in range(64)]
    for share, found in ((0.0, False), (1.0, True)):
        monkeypatch.setattr(sandbox, "_AUDITED", share)
        async with Sandbox(SandboxConfig(workers=1)) as opened, asyncio.timeout(150):
            await opened.run(sources, [GRID])
            assert (opened.status.mismatches > 0) == found
            assert opened.status.programs == 64


async def test_audited_programs_come_back_once_each_and_unchanged(monkeypatch):
    monkeypatch.setattr(sandbox, "_AUDITED", 1.0)
    async with Sandbox(SandboxConfig(workers=2)) as opened, asyncio.timeout(150):
        results = await opened.run([wrong(n) for n in range(100)], [GRID, GRID])
        assert results == [(pack(as_grid([[n % 10]])),) * 2 for n in range(100)]
        assert opened.status.mismatches == 0
        assert opened.status.programs == 100
