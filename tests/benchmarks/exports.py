"""Measure exports: rows per second and memory of programs, tables and a report of 400 tasks.

The run is that of tests.benchmarks.archive: programs of 2 kB in the mean, two thirds of them new, with
votes; its programs are written over and over until there are --rows. The yardstick is reading them
without writing.

    python -m tests.benchmarks.exports --rows 1000000
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, save_settings
from engine.exports.programs import (
    ProgramRecord,
    program_records,
    write_programs_jsonl,
    write_programs_parquet,
)
from engine.exports.report.page import Reported, write_report
from engine.exports.tables import write_tables
from engine.search.vote import Tally, rank
from tests.benchmarks.archive import TASKS, record


def resident() -> float:
    """Return the memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def vote(folder: Path) -> None:
    """Vote on every search of a run, as an engine would have at its end."""
    writer = ArchiveWriter(folder)
    with RunReader(folder) as reader:
        for search in reader.searches():
            tallies = [
                Tally(b"".join(row.outputs), row.count, row.accuracy_sum, row.shortest)
                for row in reader.tallies(search.iteration, search.task)
            ]
            ranked = [(t.pattern, weight, t.count) for t, weight in rank(tallies, "sum", 1000.0)]
            writer.put_vote(search.iteration, search.task, "sum", ranked, 1.0)
            await writer.ready()
        for row in reader.iterations():
            writer.end_iteration(row.index, 60.0)
    await writer.close()


def timed(name: str, what: str, work: Callable[[Callable[..., None]], int]) -> None:
    """Do something once and print how fast it was and the memory of this process meanwhile."""
    seen: list[float] = [resident()]
    started, cpu = time.perf_counter(), time.process_time()
    count = work(lambda *_: seen.append(resident()))
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{name:16} {count:,} {what} in {seconds:.1f} s, {count / seconds:,.0f}/s "
        f"({count / busy:,.0f} per second of processor time); memory "
        f"{min(seen):.0f} to {max(seen):.0f} MB",
        flush=True,
    )


def measure(folder: Path, rows: int, only: str | None) -> None:
    """Export a run in every way (or one), each once."""
    with RunReader(folder) as reader, tempfile.TemporaryDirectory() as place:
        out = Path(place)

        def records() -> Iterator[ProgramRecord]:
            again = iter(lambda: program_records(reader, "all", Counter()), None)
            return islice(chain.from_iterable(again), rows)

        def jsonl(on_rows: Callable[..., None]) -> int:
            with (out / "p.jsonl").open("wb") as file:
                return write_programs_jsonl(records(), file, on_rows)

        def report(on_steps: Callable[..., None]) -> int:
            with (out / "report.html").open("wb") as file:
                return write_report([Reported(folder.name, reader, Settings())], file, on_steps)

        ways: dict[str, tuple[str, Callable[[Callable[..., None]], int]]] = {
            "only read": ("programs", lambda _: sum(1 for _ in records())),
            "parquet": (
                "programs",
                lambda f: write_programs_parquet(
                    records(), out / "p.parquet", force=True, on_rows=f
                ),
            ),
            "jsonl": ("programs", jsonl),
            "tables": (
                "rows",
                lambda f: sum(write_tables(reader, out / "t", force=True, on_rows=f).values()),
            ),
            "report": ("tasks", report),
        }
        for name, (what, work) in ways.items():
            if only in (None, name):
                timed(name, what, work)
        for path in sorted(out.iterdir()):
            files = [path] if path.is_file() else list(path.iterdir())
            print(f"{path.name:16} {sum(file.stat().st_size for file in files) / 1e6:,.1f} MB")


def main() -> None:
    """Record a run, export it, print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=160_000, help="of 400 tasks together")
    parser.add_argument("--rows", type=int, default=50_000, help="programs to write")
    parser.add_argument("--only", help="one of: only read, parquet, jsonl, tables, report")
    parser.add_argument("--run", type=Path, help="a run folder to export in place of a made one")
    parser.add_argument("--keep", action="store_true", help="keep the made run and print where")
    arguments = parser.parse_args()
    folder = arguments.run or Path(tempfile.mkdtemp())
    try:
        if arguments.run is None:
            samples = arguments.candidates // TASKS // 2
            asyncio.run(record(folder, arguments.candidates, samples))
            asyncio.run(vote(folder))
            save_settings(Settings(), folder / "run.toml")
        measure(folder, arguments.rows, arguments.only)
    finally:
        if arguments.run is None and not arguments.keep:
            shutil.rmtree(folder)
        elif arguments.run is None:
            print(folder)


if __name__ == "__main__":
    main()
