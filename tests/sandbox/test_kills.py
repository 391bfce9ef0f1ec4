"""Killing, stopping and losing the sandbox's processes while it works: what it costs, and whom."""

import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Callable

import psutil
import pytest

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.candidate import Failure
from engine.programs.sandbox import Sandbox, SandboxError, worker

GRID = as_grid([[1, 2], [3, 4]])
SAME = "def transform(grid):\n    return grid"
LOOP = "def transform(grid):\n    while True: pass"
COUNTS = """
import time
calls = 0
def transform(grid):
    global calls
    calls += 1
    end = time.process_time() + 0.2
    while time.process_time() < end: pass
    return [[calls]]
"""


def colour(n: int) -> str:
    return f"def transform(grid):\n    return [[{n % 10}] for _ in range({n % 30} + 1)]"


def expected(n: int) -> bytes:
    return pack(as_grid([[n % 10]] * (n % 30 + 1)))


def zygotes(sandbox: Sandbox) -> list[int]:
    """The processes that the engine has started for this sandbox, those of the fast lane first."""
    return [w.pid for lane in (sandbox._lean, sandbox._slow) for w in lane.workers if w.up]


def children(sandbox: Sandbox) -> list[int]:
    """The processes that run programs now."""
    return [pid for zygote in zygotes(sandbox) for pid in children_of(zygote, sandbox)]


def children_of(zygote: int, sandbox: Sandbox) -> list[int]:
    """The processes that run programs for one zygote now."""
    try:
        serving = [psutil.Process(zygote)]
        if sandbox.status.layers["namespaces"] == "on":
            serving = serving[0].children()  # the zygote itself is inside, this one waits for it
        return [child.pid for process in serving for child in process.children()]
    except psutil.NoSuchProcess:
        return []


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(150):
        while not condition():  # noqa: ASYNC110 - processes are looked at, they tell nobody
            await asyncio.sleep(0.001)


async def test_zygotes_killed_again_and_again_lose_no_program():
    rng = random.Random(0)
    async with Sandbox(SandboxConfig(workers=2, cpu=0.2)) as sandbox, asyncio.timeout(120):
        for _ in range(4):
            before, sources = sandbox.status.programs, [colour(n) for n in range(400)]
            call = asyncio.create_task(sandbox.run(sources, [GRID]))
            await until(lambda before=before: sandbox.status.programs > before)
            restarts = sandbox.status.restarts
            os.kill(rng.choice(zygotes(sandbox)), signal.SIGKILL)
            assert await call == [(expected(n),) for n in range(400)]
            await until(lambda restarts=restarts: sandbox.status.restarts > restarts)
        await until(lambda: sandbox.status.workers == 4)
        assert sandbox.status.queued == 0


async def test_a_killed_child_costs_at_most_the_program_it_was_at():
    """The rest of its batch is run by another; only a program hit twice is given up."""
    killed = 0
    async with Sandbox(SandboxConfig(workers=1, cpu=0.2)) as sandbox, asyncio.timeout(120):
        call = asyncio.create_task(sandbox.run([colour(n) for n in range(2000)], [GRID]))
        while not call.done():
            for pid in children(sandbox):
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    continue
            await asyncio.sleep(0.02)
        results = await call
        assert sandbox.status.restarts == 0
        assert await sandbox.run([SAME], [GRID]) == [(pack(GRID),)]
    lost = [n for n in range(2000) if results[n] != (expected(n),)]
    assert killed > 0
    assert len(lost) <= killed // 2
    assert all(results[n][0].kind == "crash" for n in lost)


async def test_a_killed_child_of_a_program_alone_is_done_again_with_the_same_results():
    """From its first grid on: this program counts its grids."""
    async with Sandbox(SandboxConfig(workers=1, fast_cpu=0.05)) as sandbox, asyncio.timeout(150):
        await until(lambda: sandbox.status.workers == 2)  # else a child may be a zygote's own test
        call = asyncio.create_task(sandbox.run([COUNTS], [GRID] * 3))
        _, slow = zygotes(sandbox)
        found: list[psutil.Process] = []
        await until(lambda: found or found.extend(map(psutil.Process, children_of(slow, sandbox))))
        await until(lambda: sum(found[0].cpu_times()[:2]) > 0.3)  # it has answered the first grid
        found[0].kill()
        assert await call == [tuple(pack(as_grid([[number]])) for number in (1, 2, 3))]
        assert not sandbox.status.kills


async def test_a_program_killed_each_time_is_a_crash_after_its_second_try():
    """So ends what the kernel kills for its memory, however often it is tried."""
    async with Sandbox(SandboxConfig(workers=1, fast_cpu=0.05, cpu=20)) as sandbox:
        await until(lambda: sandbox.status.workers == 2)
        call = asyncio.create_task(sandbox.run([LOOP], [GRID]))
        _, slow = zygotes(sandbox)
        killed: set[int] = set()
        async with asyncio.timeout(150):
            while not call.done():
                for pid in children_of(slow, sandbox):
                    if pid not in killed:
                        os.kill(pid, signal.SIGKILL)
                        killed.add(pid)
                await asyncio.sleep(0.001)
        assert await call == [(Failure("crash", "killed by SIGKILL"),)]
        assert len(killed) == 2


async def test_a_stopped_child_costs_its_own_program_only():
    config = SandboxConfig(workers=1, fast_cpu=20, cpu=20, wall=0.5)
    async with Sandbox(config) as sandbox, asyncio.timeout(150):
        await until(lambda: sandbox.status.workers == 2)  # else a child may be a zygote's own test
        call = asyncio.create_task(sandbox.run([LOOP], [GRID]))
        others = asyncio.create_task(sandbox.run([colour(n) for n in range(50)], [GRID]))
        for zygote in zygotes(sandbox):  # in the fast lane, then in the slow lane
            running: list[int] = []
            await until(
                lambda zygote=zygote, to=running: to or to.extend(children_of(zygote, sandbox))
            )
            os.kill(running[0], signal.SIGSTOP)
            await until(lambda pid=running[0]: not psutil.pid_exists(pid))
        ((result,),) = await call
        assert isinstance(result, Failure)
        assert (result.kind, result.text) == ("timeout", "did nothing for 0.5 s")
        assert await others == [(expected(n),) for n in range(50)]


async def test_a_silent_zygote_is_given_up_and_its_programs_run_by_another(monkeypatch):
    monkeypatch.setattr(worker, "_SILENCE_SECONDS", 1.5)
    monkeypatch.setattr(worker, "_STOP_SECONDS", 0.2)
    async with Sandbox(SandboxConfig(workers=1)) as sandbox, asyncio.timeout(150):
        outer = psutil.Process(zygotes(sandbox)[0])
        for process in (outer, *outer.children(recursive=True)):
            process.suspend()
        results = await sandbox.run([colour(n) for n in range(20)], [GRID])
        assert results == [(expected(n),) for n in range(20)]
        assert sandbox.status.restarts == 1


async def test_workers_that_cannot_come_back_fail_every_caller_in_words(monkeypatch):
    others = set(psutil.Process().children())  # those of the sandbox that other tests share
    async with Sandbox(SandboxConfig(workers=1)) as sandbox, asyncio.timeout(150):
        call = asyncio.create_task(sandbox.run([LOOP] * 3, [GRID]))
        await until(lambda: sandbox.status.queued)
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/bin/false")
            for pid in zygotes(sandbox):
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(SandboxError, match="no worker of the sandbox starts"):
                await call
        with pytest.raises(SandboxError, match="no worker of the sandbox starts"):
            await sandbox.run([SAME], [GRID])
    left = set(psutil.Process().children()) - others
    assert not [p for p in left if "zygote.py" in " ".join(p.cmdline())]


async def test_a_worker_that_cannot_come_back_is_logged_and_the_others_go_on(monkeypatch, caplog):
    async with Sandbox(SandboxConfig(workers=2)) as sandbox, asyncio.timeout(150):
        await until(lambda: sandbox.status.workers == 4)
        with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
            broken.setattr(sys, "executable", "/bin/false")
            os.kill(zygotes(sandbox)[0], signal.SIGKILL)
            await until(lambda: "goes on without one of its workers" in caplog.text)
        assert caplog.text.count("goes on without") == 1
        assert await sandbox.run([SAME], [GRID]) == [(pack(GRID),)]
        assert sandbox.status.workers == 3


async def test_a_worker_that_fails_to_start_a_few_times_is_waited_for(monkeypatch):
    """Restarts back off, and the programs wait for the worker rather than fail."""
    async with Sandbox(SandboxConfig(workers=1)) as sandbox, asyncio.timeout(150):
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/bin/false")
            os.kill(zygotes(sandbox)[0], signal.SIGKILL)
            call = asyncio.create_task(sandbox.run([SAME], [GRID]))
            await until(lambda: sandbox.status.restarts >= 3)
            assert not call.done()
        assert await call == [(pack(GRID),)]


async def test_calls_cancelled_at_any_moment_leave_the_others_whole():
    rng = random.Random(3)
    async with Sandbox(SandboxConfig(workers=2, cpu=0.1)) as sandbox, asyncio.timeout(120):
        right = [expected(0)]
        calls = []
        for number in range(120):
            sources = [colour(number * 7 + k) for k in range(5)]
            if number % 8 == 0:
                sources.insert(2, LOOP)
            calls.append(asyncio.create_task(sandbox.run(sources, [GRID], confirm=right)))
            if rng.random() < 0.5:
                await asyncio.sleep(0)
            if number % 2:
                rng.choice(calls).cancel()
        await asyncio.wait(calls)
        for number, call in enumerate(calls):
            if call.cancelled():
                continue
            kept = [r for r in call.result() if isinstance(r[0], bytes)]
            assert kept == [(expected(number * 7 + k),) for k in range(5)]
        assert 20 < sum(call.cancelled() for call in calls) < 100
        await until(lambda: sandbox.status.queued == 0)
        assert await sandbox.run([SAME], [GRID]) == [(pack(GRID),)]
