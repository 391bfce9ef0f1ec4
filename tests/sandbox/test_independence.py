"""A program's results depend on its source and its grids: not on worker, batch, order or load."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc import as_grid
from engine.config import SandboxConfig
from engine.programs.candidate import Failure, Result
from engine.programs.sandbox import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRIDS = [as_grid([[1, 2], [3, 4]]), as_grid([[5]]), as_grid([[9, 0, 9]])]
LIMITS = {"fast_cpu": 0.03, "cpu": 0.08, "memory_mb": 256}
HEAD = "import numpy as np\nfrom collections import Counter, defaultdict, deque\nimport functools\n"
BODIES = {
    "as it is": "return grid",
    "numpy": "return np.rot90(np.array(grid)).tolist()",
    "order of a set of words": "return [[len(w) for w in {'a', 'bb', 'ccc', 'dddd', 'eeeee'}]]",
    "order of a set": "return [[9 if c is None else c for c in {None, 7, 3, 5, 1}]]",
    "new memory": "return (np.empty((5, 5), np.uint8) % 10).tolist()",
    "new memory, masked": "return (np.add(1, 1, where=np.zeros((4, 4), bool)) % 10).tolist()",
    "leaves memory": "a = np.full((40, 40), 9, np.uint8); return a[:3, :3].tolist()",
    "leaves much memory": "return [[len(np.ones(3_000_000)) % 7]]",
    "depth": "def down(n):\n        try: return down(n + 1)\n        except RecursionError: return n\n"
    "    n = down(0); return [[n // 100 % 10, n // 10 % 10, n % 10]]",
    "depth, alone": "z = [].__class__\n    def down(n):\n        try: return down(n + 1)\n"
    "        except RecursionError: return n\n"
    "    n = down(0); return [[n // 100 % 10, n // 10 % 10, n % 10]]",
    "endless recursion": "return transform(grid)",
    "spoils its input": "grid[0][0] = 7; grid.append([1]); return [[0]]",
    "keeps its input": "return [row[:] for row in grid]",
    "random": "import random; return [[random.randrange(10) for _ in range(9)]]",
    "numpy's random": "return np.random.randint(0, 10, (3, 3)).tolist()",
    "a fresh generator": "return np.random.default_rng().integers(0, 10, (3, 3)).tolist()",
    "turns warnings to errors": "np.seterr(all='raise'); return (np.array([1]) / 0).tolist()",
    "hears of warnings": "return [[int(np.isinf(np.array([1.0]) / 0)[0])]]",
    "poisons a builtin": "import builtins; builtins.len = lambda x: 4; return [[len(grid)]]",
    "uses a builtin": "return [[len(grid), max(grid[0]), sum(grid[0]) % 10]]",
    "poisons numpy": "np.rot90 = None; np.array = None; return [[1]]",
    "sets the limit": "import sys; sys.setrecursionlimit(50); return [[1]]",
    "error": "return 1 / 0",
    "error with an address": "raise ValueError(object(), transform)",
    "error on one grid": "return [[1 // (grid[0][0] - 5)]]",
    "error in words": "raise KeyError('schön\\n\\x1b[1m' * 99)",
    "no grid": "return [[0.5]]",
    "too large": "return [[1] * 31]",
    "crash": "import os; os._exit(3)",
    "crash on one grid": "import os\n    if grid[0][0] == 5: os.abort()\n    return grid",
    "memory": "return [0] * 10**10",
    "memory on one grid": "return [0] * 10**10 if grid[0][0] == 5 else grid",
    "slow": "import time; t = time.process_time()\n"
    "    while time.process_time() - t < 0.04: pass\n    return grid",
    "loop on one grid": "while grid[0][0] == 5: pass\n    return grid",
    "loop in C": "return [[sum(range(10**13))]] if grid[0][0] == 9 else grid",
}
WHOLE = {
    "state of its own": "n = [0]\ndef transform(grid):\n    n[0] += 1\n    return [[n[0]]]",
    "a default that grows": "def transform(grid, seen=[]):\n    seen.append(1)\n    return [seen[:]]",
    "a cache": "import functools\n@functools.lru_cache(None)\ndef f(n): return n % 10\n"
    "def transform(grid):\n    f(grid[0][0]); return [[f.cache_info().misses]]",
    "a global left behind": "SECRET = 1\ndef transform(grid):\n    return [[SECRET]]",
    "a global of another": "def transform(grid):\n    return [[SECRET]]",
    "a name of another": "def transform(grid):\n    return [[len(globals())]]",
    "no program": "def transform(grid)",
    "no transform": "x = 1",
    "error at once": "1 / 0",
    "loop at once": "while True: pass",
}
PROGRAMS = [HEAD + f"def transform(grid):\n    {body}\n" for body in BODIES.values()]
PROGRAMS += WHOLE.values()
NAMES = [*BODIES, *WHOLE]
Results = tuple[Result, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone() -> list[Results]:
    """What every program gives in a sandbox that has run nothing else."""
    found = []
    async with Sandbox(SandboxConfig(workers=1, **LIMITS)) as sandbox:
        for source in PROGRAMS:
            found += await sandbox.run([source], GRIDS)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy() -> AsyncIterator[Sandbox]:
    """A sandbox of more workers than cores, whose workers have all run all sorts of things."""
    async with Sandbox(SandboxConfig(workers=3, **LIMITS)) as sandbox:
        yield sandbox


async def run_shuffled(sandbox: Sandbox, rng: random.Random, alone: list[Results]) -> list[str]:
    """Run all programs in random order, cut at random into calls at once; returns who differed."""
    order = list(range(len(PROGRAMS))) + rng.choices(range(len(PROGRAMS)), k=20)
    rng.shuffle(order)
    calls = []
    while order:
        size = rng.choice((1, 1, 2, 5, 20, 60))
        calls.append(order[:size])
        order = order[size:]

    def confirm(call: list[int]) -> list[bytes]:
        right = [result for result in alone[rng.choice(call)] if isinstance(result, bytes)]
        return right[: rng.randrange(len(right) + 1)]

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        running = [
            group.create_task(
                sandbox.run([PROGRAMS[n] for n in call], GRIDS, confirm=confirm(call))
            )
            for call in calls
        ]
    differing = []
    for call, task in zip(calls, running, strict=True):
        for n, results in zip(call, task.result(), strict=True):
            if results != alone[n]:
                differing.append(f"{NAMES[n]}: {results} instead of {alone[n]}")
    return differing


async def test_the_programs_do_what_they_are_called_and_all_kinds_of_failure_are_there(alone):
    kinds = {r.kind for results in alone for r in results if isinstance(r, Failure)}
    assert kinds == {"exception", "timeout", "memory", "invalid", "crash", "refused"}
    assert sum(all(isinstance(r, bytes) for r in results) for results in alone) >= 25


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
async def test_results_do_not_depend_on_worker_batch_or_order(busy, alone, seed):
    assert await run_shuffled(busy, random.Random(seed), alone) == []


async def test_results_do_not_depend_on_the_load(busy, alone):
    with burning(2):
        assert await run_shuffled(busy, random.Random(1), alone) == []


async def test_programs_that_shared_a_process_are_confirmed_with_the_same_results(busy):
    """Every confirmation compares a batch's results with those of a process of its own."""
    assert busy.status.mismatches == 0


@contextmanager
def burning(processes: int) -> Iterator[None]:
    """Keep the machine busy with processes that do nothing but count."""
    code = "import os, threading\nthreading.Timer(120, os._exit, [0]).start()\nwhile True: pass"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
