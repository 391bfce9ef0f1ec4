"""Measure the app on an archive of make_archive: first paint, places, lag, bytes, memory.

The archive's writer runs in a process of its own at 1 000 candidates a second; the app runs in a
pseudo-terminal where bytes and memory are counted, and headless where places and lag are. The
yardstick of the lag is the same loop with the feed stopped.

    python -m tests.benchmarks.app --candidates 2400000
"""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")

import argparse
import asyncio
import contextlib
import fcntl
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.control.lock import EngineLock
from soar_tui.keys import INSIDE, PLACES
from tests.app.recorded import put_statuses
from tests.app.stage import CountingApp, desk_at, until
from tests.benchmarks.make_archive import MadeRun, make
from tests.benchmarks.stock import gather_stock

SIZE = (120, 40)
RATE = 1_000
SAMPLES = 3_000
"""Candidates a second while an engine writes; half of what it wants of each task."""
VISITS = ("task", "arms", "votes", "candidates", "learn", "analysis", "system", "runs", "overview")
"""In an order in which each is somewhere else than where one is: the app opens at Overview."""
PAINTS = 5


async def write_on(folder: Path, seconds: float) -> None:
    """Write RATE candidates a second in a new iteration, as an engine would."""
    stock = await gather_stock()
    with RunReader(folder) as reader:
        iteration, tasks = len(reader.iterations()), len(reader.tasks())
    writer = ArchiveWriter(folder)
    run = MadeRun(folder, stock, tasks, rate=RATE)

    async def beat() -> None:
        while True:
            put_statuses(writer, iteration=iteration, heartbeat=time.time())
            await asyncio.sleep(0.5)

    started = time.monotonic()
    with EngineLock(folder):
        writer.put_event("info", "start", "engine 2 started")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                group.create_task(beat())
                group.create_task(run.search(writer, iteration, [2 * SAMPLES] * tasks))
        await writer.close()
    sys.stdout.write(f"{run.made / (time.monotonic() - started):.0f}\n")


@contextlib.contextmanager
def writing(folder: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Have another process write at RATE meanwhile."""
    command = [sys.executable, "-m", "tests.benchmarks.app", "--write", str(folder)]
    process = subprocess.Popen(
        [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
    )
    try:
        with RunReader(folder) as reader:
            before = reader.last_pull()
            while reader.last_pull() == before and process.poll() is None:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


class Terminal:
    """The app in a pseudo-terminal: what it sends, and how much memory it has."""

    def __init__(self, folder: Path, home: Path, *, remote: bool = False) -> None:
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        code = (
            "from pathlib import Path; from soar_tui.opening import open_app; open_app(Path({!r}))"
        )
        environment = {**os.environ, "TERM": "xterm-256color", "SOAR_HOME": str(home)}
        environment.pop("TEXTUAL_COLOR_SYSTEM", None)
        environment["COLORTERM"] = "truecolor"
        if remote:
            environment["SSH_CONNECTION"] = "10.0.0.1 1 10.0.0.2 22"
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", code.format(str(folder))],
            stdin=side,
            stdout=side,
            stderr=side,
            env=environment,
            start_new_session=True,
        )
        os.close(side)
        self._main = main

    def read(self, seconds: float) -> bytes:
        """Return what arrives in so many seconds."""
        end, got = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            if select.select([self._main], [], [], left)[0]:
                got += os.read(self._main, 1 << 16)
        return got

    def read_until(self, wanted: bytes) -> float:
        """Return after how many seconds from the start something has been sent."""
        got = b""
        while wanted not in got:
            got += self.read(0.005)
            if time.perf_counter() - self.started > 60:
                raise RuntimeError(f"the app never sent {wanted!r}")
        return time.perf_counter() - self.started

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._main, key.encode())

    @property
    def resident(self) -> float:
        """Return its resident memory in MB."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1000
        raise RuntimeError("no VmRSS")

    def close(self) -> None:
        """End the app."""
        self._process.terminate()
        self._process.wait()
        os.close(self._main)


async def places(folder: Path, home: Path) -> dict[str, tuple[float, float]]:
    """Return milliseconds until a place has its answer, the first time and later (median of 5).

    A first visit is one of a place that the app has made ahead. Until it has, in its first second,
    a key may wait for the place's modules and widgets, too: not counted.
    """
    app = CountingApp(folder, desk=desk_at(home))
    took: dict[str, list[float]] = {}
    async with app.run_test(size=SIZE):
        await until(lambda: app.up_to_date, "the first place")
        await app.workers.wait_for_complete()
        with RunReader(folder) as reader:
            app.look(candidate=reader.candidates(limit=50).rows[-1].id, task=7)
        for _ in range(6):
            for name in (*VISITS, *(inside for _, inside, _ in INSIDE)):
                started = time.perf_counter()
                app._answered = None
                app.go(name)
                await until(lambda: app._answered is not None, name)
                took.setdefault(name, []).append(1000 * (time.perf_counter() - started))
                await asyncio.sleep(0.15)
    return {name: (each[0], statistics.median(each[1:])) for name, each in took.items()}


async def lag(folder: Path, home: Path, seconds: float, *, feed: bool) -> tuple[float, float]:
    """Return how late, in ms, the loop wakes: median and 95th percentile, over several places."""
    app = CountingApp(folder, desk=desk_at(home))
    late: list[float] = []
    async with app.run_test(size=SIZE):
        await until(lambda: app.up_to_date, "the first place")
        for name in ("overview", "arms", "votes", "candidates"):
            app.go(name)
            await asyncio.sleep(1.0)
            if not feed:
                app.feed.stop()
            end = time.perf_counter() + seconds / 4
            while (now := time.perf_counter()) < end:
                await asyncio.sleep(0.01)
                late.append(1000 * (time.perf_counter() - now - 0.01))
    late.sort()
    return statistics.median(late), late[int(0.95 * len(late))]


def main() -> None:
    """Generate the archive, or take one that is there, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=200_000)
    parser.add_argument(
        "--folder", type=Path, help="keep the made run here, or use one of make_archive"
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write is not None:
        asyncio.run(write_on(given.write, given.seconds))
        return
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        folder: Path = given.folder or home / "runs" / "made"
        if not folder.exists():
            started = time.perf_counter()
            asyncio.run(make(folder, given.candidates, tasks=400, iterations=1))
            print(f"made in {time.perf_counter() - started:.0f} s")
        measure(folder, home, given.seconds)


def measure(folder: Path, home: Path, seconds: float) -> None:
    """Print all figures of one archive."""
    with RunReader(folder) as reader:
        rows = reader.iterations()
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    print(
        f"{sum(row.candidates for row in rows):,} candidates, {size / 1e6:,.0f} MB, load {os.getloadavg()[0]:.1f}"
    )
    paints = []
    for last in (False,) * (PAINTS - 1) + (True,):
        terminal = Terminal(folder, home)
        paints.append(terminal.read_until(b"tasks of iteration"))
        if not last:
            terminal.close()
    print(f"first paint      {statistics.median(paints):6.2f} s, the median of {PAINTS}")
    terminal.read(2.0)
    print(f"idle             {len(terminal.read(10.0)):6} bytes in 10 s")
    for _, name, _ in PLACES[1:]:
        terminal.press(next(key for key, known, _ in PLACES if known == name))
        terminal.read(0.7)
    print(f"resident         {terminal.resident:6.0f} MB after every place")
    terminal.close()
    for name, (first, later) in asyncio.run(places(folder, home)).items():
        print(f"place {name:<11}{first:6.0f} ms first, {later:4.0f} ms later")
    alone = asyncio.run(lag(folder, home, seconds / 2, feed=False))
    print(f"lag, no feed     {alone[0]:6.1f} ms median, {alone[1]:.1f} ms p95")
    with writing(folder, seconds + 30) as process:
        live = asyncio.run(lag(folder, home, seconds, feed=True))
        print(f"lag, {RATE}/s      {live[0]:6.1f} ms median, {live[1]:.1f} ms p95")
        del process
    with writing(folder, seconds + 15):
        for remote in (False, True):
            terminal = Terminal(folder, home, remote=remote)
            terminal.read_until(b"Overview")  # it comes back at the place it was left at
            for key in "1345":
                terminal.press(key)
                terminal.read(1.0)
                count = len(terminal.read(seconds / 8))
                where = "over SSH" if remote else "local"
                print(f"bytes, {where:<9}{count / (seconds / 8) / 1000:6.1f} kB/s in place {key}")
            terminal.close()


if __name__ == "__main__":
    main()
