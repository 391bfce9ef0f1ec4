"""Programs that write to the zygote themselves: they decide nothing but their own results."""

import asyncio

import pytest

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.candidate import Failure
from engine.programs.sandbox import Sandbox, worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRID = as_grid([[1, 2], [3, 4]])
HEAD = """
import os, struct, sys, time
def frame(payload, job, number, kind=1):
    return struct.pack("<IIHB", len(payload), job, number, kind) + payload
def ours():
    at = sys._getframe()
    while "request" not in at.f_locals:
        at = at.f_back
    return at.f_locals["request"].job, at.f_locals["item"].number
SEVEN = bytes([0, 1, 1, 7])
"""
THREE = "def transform(grid):\n    return [[3]]"
BY_ITSELF = f"class C: pass\n{THREE}"
RIGHT = (pack(as_grid([[3]])),)


def attacker(*lines: str) -> str:
    body = "\n    ".join(("job, number = ours()", *lines, "return grid"))
    return f"{HEAD}\ndef transform(grid):\n    {body}"


def caught(result: object) -> bool:
    return result == Failure("crash", "sent what no program sends")


async def test_a_frame_for_another_program_of_the_request_changes_nothing(sandbox):
    forger = attacker("os.write(3, frame(SEVEN, job, number + 1))")
    results = await sandbox.run([THREE, forger, BY_ITSELF], [GRID])
    assert results[0] == results[2] == RIGHT
    assert caught(results[1][0])


async def test_a_frame_for_a_request_still_to_come_changes_nothing():
    async with Sandbox(SandboxConfig(workers=1)) as opened, asyncio.timeout(100):
        forger = attacker("os.write(3, frame(SEVEN, job + 1, 0))")
        waiting = [f"{THREE}  # {number}" for number in range(200)]
        results = await opened.run([THREE, forger, *waiting], [GRID])
    assert caught(results.pop(1)[0])
    assert results == [RIGHT] * (1 + len(waiting))


async def test_empty_frames_of_its_own_end_the_program(sandbox):
    empty = attacker("os.write(3, frame(b'', job, number) * 2)", "time.sleep(1000)")
    async with asyncio.timeout(100):
        results = await sandbox.run([THREE, empty, BY_ITSELF], [GRID, GRID])
    assert results[0] == results[2] == RIGHT * 2
    assert all(caught(result) for result in results[1])


async def test_a_frame_answers_one_grid_of_a_program_alone(sandbox):
    both = attacker("os.write(3, frame(SEVEN * 2, job, number))")
    async with asyncio.timeout(100):
        results = await sandbox.run([both, BY_ITSELF], [GRID, GRID])
    assert all(caught(result) for result in results[0])
    assert results[1] == RIGHT * 2


async def test_a_frame_that_comes_in_drips_uses_up_the_programs_time():
    drip = attacker(
        "os.write(3, frame(bytes(1 << 20), job, number)[:11])",
        "while True:",
        "    os.write(3, b'x')",
        "    sum(range(300))",
    )
    config = SandboxConfig(workers=1, fast_cpu=1, cpu=0.3)
    async with Sandbox(config) as opened, asyncio.timeout(100):
        results = await opened.run([drip], [GRID])
        assert results == [(Failure("timeout", "used up 0.3 s of CPU"),)]
        assert opened.status.restarts == 0


async def test_many_grids_in_little_time_each_are_no_silence(monkeypatch):
    """The zygote tells that it lives also while it has something to read all the time."""
    monkeypatch.setattr(worker, "_SILENCE_SECONDS", 6.0)
    busy = (
        "import sys, time\ndef transform(grid):\n    end = time.process_time() + 0.028\n"
        "    while time.process_time() < end: pass\n    return [[3]]"
    )
    async with Sandbox(SandboxConfig(workers=1, fast_cpu=0.05)) as opened, asyncio.timeout(100):
        assert await opened.run([busy], [GRID] * 255) == [RIGHT * 255]
        assert opened.status.restarts == 0
