"""Hostile programs at full rate for a while: does the sandbox leak, slow down or lose a program?

Attacks (`tests/attacks`) and broken programs go in as fast as they come out, ordinary programs
beside them. Every ten seconds a line says how it stands; at the end the run passes or names what
grew: zombies, open files, the memory of the engine and of the zygotes, wrong results, p99.

    python -m tests.benchmarks.sandbox_soak --seconds 600
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from engine.config import SandboxConfig
from engine.programs.sandbox import Sandbox
from tests.attacks.arena import arena
from tests.attacks.corpus import ALL
from tests.benchmarks.sandbox import GRIDS, SETS, checked
from tests.benchmarks.sandbox_corpus import programs

EVERY = 10.0
ORDINARY, HOSTILE = 16, 16
GROWTH_MB, P99_SECONDS = 64.0, 1.0


@dataclass(frozen=True)
class Sample:
    """How it stands at one moment; memory in MB, the zygotes' summed."""

    programs: int
    p99: float
    zombies: int
    files: int
    engine: float
    zygotes: float
    queued: int
    restarts: int


def look(sandbox: Sandbox, latencies: list[float]) -> Sample:
    """Take a sample, and start the latencies anew."""
    us = psutil.Process()
    below = us.children(recursive=True)
    zombies, memory = 0, 0
    for process in below:
        try:
            zombies += process.status() == psutil.STATUS_ZOMBIE
            if "zygote.py" in " ".join(process.cmdline()):
                memory += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    status = sandbox.status
    p99 = float(np.percentile(latencies, 99)) if latencies else 0.0
    latencies.clear()
    return Sample(
        status.programs, p99, zombies, us.num_fds(),
        us.memory_info().rss / 1e6, memory / 1e6, status.queued, status.restarts,
    )  # fmt: skip


async def soak(seconds: float, workers: int, hostile: Sequence[str]) -> list[str]:
    """Run for that long; returns what is wrong."""
    config = SandboxConfig(workers=workers, cpu=0.3, memory_mb=256)
    cases = programs(500)
    expected = [checked(case.source, SETS[case.grid_set]) for case in cases]
    wrong, latencies, samples = 0, [], []
    numbers = itertools.count()
    end = time.monotonic() + seconds

    async def ordinary() -> None:
        nonlocal wrong
        while time.monotonic() < end:
            n = next(numbers) % len(cases)
            start = time.monotonic()
            (results,) = await sandbox.run([cases[n].source], GRIDS[cases[n].grid_set])
            latencies.append(time.monotonic() - start)
            wrong += tuple(r if isinstance(r, bytes) else None for r in results) != expected[n]

    async def attacking(seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < end:
            await sandbox.run([rng.choice(hostile)], GRIDS[0][:2])

    async def watching() -> None:
        while time.monotonic() < end:
            await asyncio.sleep(min(EVERY, max(0.0, end - time.monotonic())))
            samples.append(look(sandbox, latencies))
            print(samples[-1], flush=True)

    async with Sandbox(config) as sandbox, asyncio.TaskGroup() as group:
        for _ in range(ORDINARY):
            group.create_task(ordinary())
        for seed in range(HOSTILE):
            group.create_task(attacking(seed))
        group.create_task(watching())
    return judge(samples, wrong)


def judge(samples: Sequence[Sample], wrong: int) -> list[str]:
    """Say what is wrong, comparing the last sample with the first."""
    first, last = samples[0], samples[-1]
    found = [f"{wrong} wrong results"] if wrong else []
    for name in ("engine", "zygotes"):
        grown = getattr(last, name) - getattr(first, name)
        if grown > GROWTH_MB:
            found.append(f"the {name}' memory grew by {grown:.0f} MB")
    if last.files > first.files + 8:
        found.append(f"open files grew from {first.files} to {last.files}")
    if last.zombies > 2 * ORDINARY:
        found.append(f"{last.zombies} zombies")
    if max(sample.p99 for sample in samples) > P99_SECONDS:
        found.append(f"p99 of ordinary programs above {P99_SECONDS} s")
    if last.restarts:
        found.append(f"{last.restarts} workers were lost")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print the verdict, return an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, arena(Path(folder)) as place:
        hostile = [place.fill(attack.source) for attack in ALL]
        found = asyncio.run(soak(options.seconds, options.workers, hostile))
        found += place.harm()
    print("\n".join(found) or "nothing grew, nothing was lost, nothing was harmed")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
