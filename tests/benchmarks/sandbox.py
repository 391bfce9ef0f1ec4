"""Measure the sandbox against running programs with no protection, a process pool and a process each.

Everything is measured in one run, on one corpus (`sandbox_corpus.py`), and printed as ratios.
Costs are CPU seconds of the whole process tree, start-up taken off, so that other load on the
machine matters little; latencies and the rate beside endless loops are by the clock.

    python -m tests.benchmarks.sandbox --programs 2000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pebble import ProcessPool

from engine.arc import as_grid, pack
from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox
from tests.benchmarks.sandbox_corpus import Case, Rows, grid_sets, programs

LIMIT = 2.0
IN_FLIGHT = 64
CALL = 50
Outputs = tuple[bytes | None, ...]
SETS = grid_sets(40)
GRIDS = [[as_grid(grid) for grid in grids] for grids in SETS]


def bare(source: str, grids: Sequence[Rows]) -> list[Any]:
    """Run a program with no protection and no checks."""
    outputs: list[Any] = []
    try:
        space: dict[str, Any] = {}
        exec(compile(source, "<program>", "exec"), space)
        outputs.extend(space["transform"]([row[:] for row in grid]) for grid in grids)
    except Exception:
        outputs += [None] * (len(grids) - len(outputs))
    return outputs


def checked(source: str, grids: Sequence[Rows]) -> Outputs:
    """Run a program with no protection, and check its outputs."""
    return tuple(_packed(output) for output in bare(source, grids))


def _packed(output: object) -> bytes | None:
    try:
        return pack(as_grid(output))
    except ValueError:
        return None


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@contextmanager
def costing(costs: dict[str, float], name: str) -> Iterator[None]:
    """Note the CPU seconds of a block, children that end in it included."""
    start = cpu()
    yield
    costs[name] = cpu() - start


def on_every_core(workers: int, work: Callable[[], object]) -> None:
    """Do the same work in several processes at once, as loaded a machine as the others get."""
    pids = []
    for _ in range(workers):
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


async def in_sandbox(config: SandboxConfig, cases: Sequence[Case]) -> list[Outputs]:
    """Run all cases through the sandbox as the engine does: calls of some programs, many at once."""
    by_set: dict[int, list[int]] = {}
    for index, case in enumerate(cases):
        by_set.setdefault(case.grid_set, []).append(index)
    calls = [
        (grid_set, indexes[start : start + CALL])
        for grid_set, indexes in by_set.items()
        for start in range(0, len(indexes), CALL)
    ]
    found: list[Outputs] = [()] * len(cases)

    async def call(grid_set: int, indexes: list[int]) -> None:
        sources = [cases[i].source for i in indexes]
        for i, results in zip(indexes, await sandbox.run(sources, GRIDS[grid_set]), strict=True):
            found[i] = tuple(r if isinstance(r, bytes) else None for r in results)

    async with Sandbox(config) as sandbox, asyncio.TaskGroup() as group:
        for grid_set, indexes in calls:
            group.create_task(call(grid_set, indexes))
    return found


def in_pool(cases: Sequence[Case], workers: int, limit: float) -> tuple[list[Outputs], float]:
    """Run all cases in a pebble pool; returns outputs and the clock when the last ordinary ended."""
    last = 0.0
    found: list[Outputs] = []
    with ProcessPool(max_workers=workers) as pool:
        futures = [
            pool.schedule(checked, args=[case.source, SETS[case.grid_set]], timeout=limit)
            for case in cases
        ]
        for case, future in zip(cases, futures, strict=True):
            try:
                found.append(future.result())
            except Exception:  # its limit, or its process
                found.append((None,) * 5)
            if case.kind == "ordinary":
                last = time.perf_counter()
    return found, last


def in_a_process_each(cases: Sequence[Case]) -> None:
    """Run every case in an interpreter of its own."""
    code = (
        "import json, sys; from tests.benchmarks.sandbox import checked;"
        "checked(*json.load(sys.stdin))"
    )
    for case in cases:
        text = json.dumps([case.source, SETS[case.grid_set]])
        subprocess.run([sys.executable, "-c", code], input=text.encode(), check=False)


def typical(number: int, workers: int) -> None:
    """Cost per ordinary program, five grids each."""
    cases = programs(number)
    costs: dict[str, float] = {}
    config = SandboxConfig(workers=workers)
    for case in cases[:100]:
        checked(case.source, SETS[case.grid_set])
    with costing(costs, "bare exec, no protection, no checks"):
        on_every_core(workers, lambda: [bare(c.source, SETS[c.grid_set]) for c in cases])
    with costing(costs, "bare exec, outputs checked"):
        on_every_core(workers, lambda: [checked(c.source, SETS[c.grid_set]) for c in cases])
    expected = [checked(case.source, SETS[case.grid_set]) for case in cases]
    with costing(costs, "(an empty sandbox)"):
        asyncio.run(in_sandbox(config, cases[:1]))
    with costing(costs, "this sandbox"):
        found = asyncio.run(in_sandbox(config, cases))
    alone = [Case(case.source + "import sys\n", case.kind, case.grid_set) for case in cases[::4]]
    with costing(costs, "this sandbox, a fork for every program"):
        assert asyncio.run(in_sandbox(config, alone)) == found[::4]
    with costing(costs, "(an empty pool)"):
        in_pool(cases[:1], workers, LIMIT)
    with costing(costs, "pebble pool, no isolation"):
        pooled, _ = in_pool(cases, workers, LIMIT)
    few = cases[:25]
    with costing(costs, "an interpreter for every program"):
        in_a_process_each(few)
    counts = {name: number * (workers if "exec" in name else 1) for name in costs}
    counts["this sandbox, a fork for every program"] = len(alone)
    counts["an interpreter for every program"] = len(few)
    for name, base in (("sandbox", "(an empty sandbox)"), ("pebble", "(an empty pool)")):
        for other in costs:
            if name in other and not other.startswith("("):
                costs[other] -= costs[base]
    assert found == expected == pooled, "some outputs differ"
    best = costs["bare exec, no protection, no checks"] / (number * workers)
    print(f"\ntypical: {number} programs x 5 grids, outputs of all ways equal")
    print(f"{'':40}{'CPU ms each':>12}{'of bare':>9}")
    for name, cost in costs.items():
        if not name.startswith("("):
            each = cost / counts[name]
            print(f"{name:40}{1000 * each:12.2f}{best / each:9.3f}")


async def beside_loops(
    config: SandboxConfig, cases: Sequence[Case]
) -> tuple[list[Outputs], float, list[float]]:
    """Run one call per program, ordinary ones at most IN_FLIGHT at once.

    Returns the outputs, the clock when the last ordinary program ended, and their latencies.
    """
    found: list[Outputs] = [()] * len(cases)
    room, latencies, last = asyncio.Semaphore(IN_FLIGHT), [], 0.0

    async def call(index: int) -> None:
        nonlocal last
        case, start = cases[index], time.perf_counter()
        (results,) = await sandbox.run([case.source], GRIDS[case.grid_set])
        found[index] = tuple(r if isinstance(r, bytes) else None for r in results)
        if case.kind == "ordinary":
            last = time.perf_counter()
            latencies.append(last - start)
        if case.kind in ("ordinary", "error"):
            room.release()

    async with Sandbox(config) as sandbox, asyncio.TaskGroup() as group:
        for index, case in enumerate(cases):
            if case.kind in ("ordinary", "error"):
                await room.acquire()
            group.create_task(call(index))
    return found, last, latencies


def mixed(number: int, workers: int) -> None:
    """Rate and latency of ordinary programs beside errors, loops and bombs, limit 2 s."""
    cases = programs(number, errors=0.10, loops=0.03, bombs=0.01)
    ordinary = [index for index, case in enumerate(cases) if case.kind == "ordinary"]
    config = SandboxConfig(workers=workers, cpu=LIMIT)
    expected = {i: checked(cases[i].source, SETS[cases[i].grid_set]) for i in ordinary}
    start = time.perf_counter()
    found, last, latencies = asyncio.run(beside_loops(config, cases))
    ours, whole = len(ordinary) / (last - start), time.perf_counter() - start
    lost = sum(found[i] != expected[i] for i in ordinary)
    start = time.perf_counter()
    pooled, last = in_pool(cases, workers, LIMIT)
    pools = len(ordinary) / (last - start)
    pool_lost = sum(pooled[i] != expected[i] for i in ordinary)
    p50, p99 = np.percentile(latencies, [50, 99])
    print(f"\nmixed: {number} programs, 10 % errors, 3 % endless loops, 1 % bombs, limit {LIMIT} s")
    print(f"{'':40}{'ordinary/s':>12}{'of pool':>9}{'lost':>6}")
    print(f"{'this sandbox':40}{ours:12.1f}{ours / pools:9.1f}{lost:6}")
    print(f"{'pebble pool, no isolation':40}{pools:12.1f}{1.0:9.1f}{pool_lost:6}")
    print(f"this sandbox: ordinary p50 {1000 * p50:.0f} ms, p99 {1000 * p99:.0f} ms;", end=" ")
    print(f"loops and bombs all judged after {whole:.1f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--mixed", type=int, default=600, help="0 leaves this part out")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args(arguments)
    parts: list[tuple[Callable[[int, int], None], int]] = [
        (typical, options.programs),
        (mixed, options.mixed),
    ]
    for part, number in parts:
        if number:
            part(number, options.workers)


if __name__ == "__main__":
    main()
