"""Hostile programs at full rate for a while: does the sandbox leak, slow down or lose a program?

Attacks (`tests/attacks`) go in as fast as they come out, ordinary programs beside them. Every minute
a line says how it stands; at the end, or when it is ended early, a table compares the end with the
end of the first minute: zombies, open files, resident memory, p99 of an ordinary program, results.

    python -m tests.benchmarks.sandbox_soak --minutes 60
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from engine.config import SandboxConfig
from engine.control.allocation import give_memory_back
from engine.programs.sandbox import Sandbox, SandboxError
from tests.attacks.arena import Arena, arena
from tests.attacks.corpus import ALL
from tests.benchmarks.sandbox import GRIDS, SETS, checked
from tests.benchmarks.sandbox_corpus import programs

EVERY = 60.0
ORDINARY, HOSTILE = 16, 16
GROWTH, P99_MS = 5.0, 250.0
"""What is promised: resident memory grows by less than 5 %, p99 stays within 250 ms."""


@dataclass(frozen=True)
class Sample:
    """How it stands at one moment.

    Programs, attacks and restarts since the start; latencies (ms) and the rate since the last sample;
    memory in MB: the engine's own process, and all zygotes' summed, without their children.
    """

    seconds: float
    programs: int
    attacks: int
    rate: float
    p50: float
    p99: float
    zombies: int
    files: int
    engine: float
    zygotes: float
    queued: int
    restarts: int
    mismatches: int
    wrong: int


HEADS = "   time  programs    /s  p50 ms  p99 ms  zombies  files  engine MB  zygotes MB  queued  lost  wrong"


def line(sample: Sample) -> str:
    """Return a sample as a line under HEADS."""
    s = sample
    return (
        f"{s.seconds / 60:5.1f} m {s.programs:9,} {s.attacks:8,} {s.rate:5.0f} {s.p50:7.0f} {s.p99:7.0f} "
        f"{s.zombies:8} {s.files:6} {s.engine:10.1f} {s.zygotes:11.1f} {s.queued:7} "
        f"{s.restarts:5} {s.wrong:6}"
    )


class Watch:
    """Takes samples of a sandbox at work."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.latencies: list[float] = []
        self.wrong = 0
        self.attacks = 0
        self.samples: list[Sample] = []
        self._sandbox = sandbox
        self._start = self._last = time.monotonic()
        self._us = psutil.Process()

    def look(self) -> Sample:
        """Take a sample, and start latencies and rate anew."""
        zombies, zygotes = self._processes()
        now, status = time.monotonic(), self._sandbox.status
        before = self.samples[-1].programs if self.samples else 0
        p50, p99 = np.percentile(self.latencies or [0.0], [50, 99])
        sample = Sample(
            seconds=now - self._start,
            programs=status.programs,
            attacks=self.attacks,
            rate=(status.programs - before) / (now - self._last),
            p50=1000 * float(p50),
            p99=1000 * float(p99),
            zombies=zombies,
            files=self._us.num_fds(),
            engine=self._us.memory_info().rss / 1e6,
            zygotes=zygotes / 1e6,
            queued=status.queued,
            restarts=status.restarts,
            mismatches=status.mismatches,
            wrong=self.wrong,
        )
        self._last = now
        self.latencies.clear()
        self.samples.append(sample)
        return sample

    def _processes(self) -> tuple[int, int]:
        """Return how many processes have ended unnoticed, and the bytes of all zygotes.

        A child that has just ended is its zygote's to reap: only what is still there after a
        second look counts.
        """
        levels = 2 if self._sandbox.status.layers.get("namespaces") == "on" else 1
        ended, memory = set(), 0
        layer = self._us.children()
        for _ in range(levels):
            below = []
            for process in layer:
                try:
                    memory += process.memory_info().rss
                    below += process.children()
                except psutil.NoSuchProcess:
                    continue
            layer = below
        for process in self._us.children(recursive=True):
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    ended.add(process)
            except psutil.NoSuchProcess:
                continue
        if ended:
            time.sleep(0.2)
        return sum(process.is_running() for process in ended), memory


async def soak(
    seconds: float, workers: int, hostile: Sequence[str], place: Arena
) -> tuple[list[Sample], list[str]]:
    """Run for that long, or until interrupted; returns the samples, and what was harmed or broke."""
    config = SandboxConfig(workers=workers, cpu=0.3, memory_mb=256)
    cases = programs(500)
    expected = [checked(case.source, SETS[case.grid_set]) for case in cases]
    numbers = itertools.count()
    over = asyncio.Event()
    harmed: list[str] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)

    async def ordinary(watch: Watch) -> None:
        while not over.is_set():
            n = next(numbers) % len(cases)
            start = time.monotonic()
            (results,) = await sandbox.run([cases[n].source], GRIDS[cases[n].grid_set])
            watch.latencies.append(time.monotonic() - start)
            outputs = tuple(r if isinstance(r, bytes) else None for r in results)
            watch.wrong += outputs != expected[n]

    async def attacking(seed: int, watch: Watch) -> None:
        rng = random.Random(seed)
        while not over.is_set():
            await sandbox.run([rng.choice(hostile)], GRIDS[0][:2])
            watch.attacks += 1

    async def watching(watch: Watch) -> None:
        end = time.monotonic() + seconds
        while not over.is_set():
            wait = min(EVERY, end - time.monotonic())
            try:
                await asyncio.wait_for(over.wait(), max(0.0, wait))
            except TimeoutError:
                if time.monotonic() >= end:
                    over.set()
            print(line(watch.look()), flush=True)
            harmed.extend(place.harm())

    watch: Watch | None = None
    try:
        async with Sandbox(config) as sandbox:
            print(f"level {sandbox.status.level}, {sandbox.status.workers} workers up\n{HEADS}")
            watch = Watch(sandbox)
            async with asyncio.TaskGroup() as group:
                for _ in range(ORDINARY):
                    group.create_task(ordinary(watch))
                for seed in range(HOSTILE):
                    group.create_task(attacking(seed, watch))
                group.create_task(watching(watch))
    except* SandboxError as errors:
        harmed.append(f"the sandbox gave up: {errors.exceptions[0]}")
    return watch.samples if watch else [], harmed


def verdict(samples: Sequence[Sample], harmed: Sequence[str]) -> str:
    """Return the table that compares the last sample with the first, and what is promised."""
    first, last = samples[0], samples[-1]

    def growth(name: str) -> tuple[str, float, float, str, bool]:
        before, after = getattr(first, name), getattr(last, name)
        change = 100 * (after - before) / before
        return f"{name} MB", before, after, f"{change:+.1f} % (< {GROWTH:g} %)", change < GROWTH

    worst = max(sample.p99 for sample in samples)
    typical = float(np.median([sample.p99 for sample in samples]))
    rows = [
        growth("engine"),
        growth("zygotes"),
        ("open files", first.files, last.files, "no more than at first", last.files <= first.files),
        ("zombies", first.zombies, last.zombies, "none", not last.zombies),
        ("p99 ms, median minute", first.p99, typical, f"<= {P99_MS:g}", typical <= P99_MS),
        ("p99 ms, worst minute", first.p99, worst, f"<= {P99_MS:g}", worst <= P99_MS),
        ("wrong results", first.wrong, last.wrong, "none", not last.wrong),
        ("mismatches", first.mismatches, last.mismatches, "none", not last.mismatches),
        ("workers lost", first.restarts, last.restarts, "none", not last.restarts),
        ("harm done", 0, len(harmed), "none", not harmed),
    ]
    minutes = last.seconds / 60
    text = [
        f"\n{last.programs:,} programs, {last.attacks:,} of them attacks, in {minutes:.1f} minutes"
    ]
    text += [f"{'':24}{'first':>10}{'end':>10}  promised"]
    for name, before, after, promised, kept in rows:
        mark = "ok" if kept else "NOT KEPT"
        text.append(f"{name:24}{before:10,.1f}{after:10,.1f}  {promised:24} {mark}")
    return "\n".join([*text, *harmed])


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak and print how it went; exits with 1 only when it could not run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=0, help="0: one per core")
    options = parser.parse_args(arguments)
    give_memory_back()  # as an engine does
    with tempfile.TemporaryDirectory() as folder, arena(Path(folder)) as place:
        hostile = [place.fill(attack.source) for attack in ALL]
        samples, harmed = asyncio.run(soak(60 * options.minutes, options.workers, hostile, place))
    print(verdict(samples, harmed) if samples else "\n".join(harmed))
    return not samples


if __name__ == "__main__":
    sys.exit(main())
