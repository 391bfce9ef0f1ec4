"""Measure exports: rows per second and memory, of programs as Parquet and JSONL.

The run is that of tests.benchmarks.archive: programs of 2 kB in the mean, two thirds of them new.

    python -m tests.benchmarks.exports --candidates 1600000
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from engine.archive.reader import RunReader
from engine.exports.programs import program_records, write_programs_jsonl, write_programs_parquet
from tests.benchmarks.archive import record


def resident() -> float:
    """Return the memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def export(name: str, folder: Path) -> None:
    """Export all programs of a run once and print how fast, how large, and the memory it took."""
    path = folder / f"programs.{name}"
    seen: list[float] = []
    started, cpu = time.perf_counter(), time.process_time()
    with RunReader(folder) as reader:
        records = program_records(reader, "all", Counter())
        if name == "parquet":
            count = write_programs_parquet(
                records, path, force=True, on_rows=lambda _: seen.append(resident())
            )
        else:
            with path.open("wb") as file:
                count = write_programs_jsonl(records, file, lambda _: seen.append(resident()))
    seconds, busy = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{name}: {count:,} programs in {seconds:.1f} s, {count / seconds:,.0f} rows/s "
        f"({count / busy:,.0f} per second of processor time), {path.stat().st_size / 1e6:,.0f} MB; "
        f"memory {min(seen):.0f} to {max(seen):.0f} MB, at the end {seen[-1]:.0f} MB"
    )
    path.unlink()


def main() -> None:
    """Record a run, export it, print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--run", type=Path, help="a run folder to export in place of a made one")
    parser.add_argument("--keep", action="store_true", help="keep the made run and print where")
    arguments = parser.parse_args()
    folder = arguments.run or Path(tempfile.mkdtemp())
    try:
        if arguments.run is None:
            asyncio.run(record(folder, arguments.candidates))
        export("parquet", folder)
        export("jsonl", folder)
    finally:
        if arguments.run is None and not arguments.keep:
            shutil.rmtree(folder)
        elif arguments.run is None:
            print(folder)


if __name__ == "__main__":
    main()
