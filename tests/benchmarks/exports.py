"""Measure exports: rows per second and memory of programs, tables, a report and a learned dataset.

The run is that of tests.benchmarks.archive: programs of 2 kB in the mean, two thirds of them new, with
votes; its programs are written over and over until there are --rows. The yardstick is reading them
without writing. The dataset is of another run, on ARC-AGI-1's training tasks: --rows examples with
programs of the same kind, a third of them correct, half hindsight, the rest repairs. Of a run that
is there already (--run) every program is written once, unless --rows says how many.

    python -m tests.benchmarks.exports --rows 1000000
    python -m tests.benchmarks.exports --rows 1000000 --only dataset
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from engine.arc import Grid, Pair, Task, as_grid, pack
from engine.arc.load import load_tasks
from engine.archive.reader import RunReader
from engine.archive.rows import Checkpoint
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, save_settings
from engine.exports.chats import examples, write_chats_jsonl, write_chats_parquet
from engine.exports.programs import (
    ProgramRecord,
    program_records,
    write_programs_jsonl,
    write_programs_parquet,
)
from engine.exports.report.page import Reported, write_report
from engine.exports.tables import write_tables
from engine.learning.dataset import write_dataset
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Evaluation, Failure, candidate_id
from engine.search.vote import Tally, rank
from tests.benchmarks.archive import TASKS, functions, record


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


def measure(folder: Path, rows: int | None, only: str | None) -> None:
    """Export a run in every way (or one), each once: its programs once, or over and over to `rows`."""
    with RunReader(folder) as reader, tempfile.TemporaryDirectory() as place:
        out = Path(place)

        def records() -> Iterable[ProgramRecord]:
            if rows is None:
                return program_records(reader, "all", Counter())
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


def made_examples(tasks: tuple[Task, ...], rows: int) -> Iterator[Example]:
    """Make examples task by task, each with a program of its own and outputs hardly seen twice."""
    rng, arrays = random.Random(0), np.random.default_rng(0)
    texts = functions()
    words = sorted(set(" ".join(texts).split()))

    def program() -> str:
        # Comments drawn word by word, or programs would pack better than what models write.
        parts = [
            f"# {' '.join(rng.choices(words, k=25))}\n{text}"
            for text in rng.choices(texts, k=rng.randrange(1, 5))
        ]
        constants = ", ".join(str(rng.randrange(100)) for _ in range(6))
        parts.append(f"def transform(grid):\n    return f(grid, [{constants}])\n")
        return "import numpy as np\n\n" + "\n\n".join(parts)

    def changed(grid: Grid) -> Grid:
        cells = np.array(grid)
        cells[arrays.random(grid.shape) < 0.1] = rng.randrange(10)
        return as_grid(cells)

    def result(grid: Grid) -> bytes | Failure:
        if rng.random() < 0.1:
            return Failure("exception", f"IndexError: index {rng.randrange(30)} is out of bounds")
        return pack(changed(grid))

    for index, task in enumerate(tasks):
        first, end = (rows * place // len(tasks) for place in (index, index + 1))
        for number in range(end - first):
            one = Example("correct", task, program(), candidate_id(0, index, number))
            match number * 6 // (end - first):
                case 0 | 1:
                    yield one
                case 2 | 3 | 4:
                    pairs = tuple(Pair(pair.input, changed(pair.output)) for pair in task.train)
                    yield replace(one, origin="hindsight", task=replace(task, train=pairs))
                case _:
                    grids = [pair.output for pair in task.train] + list(task.test)
                    right = tuple(rng.random() < 0.3 for _ in task.train)
                    gave = Evaluation(tuple(map(result, grids)), right)
                    above = Candidate(one.candidate - 1, "sample", 0, 0, None, program(), gave)
                    yield replace(one, origin="repair", parent=above)


def learn(folder: Path, rows: int) -> None:
    """Make a run that has learned from so many examples."""
    (folder / "datasets").mkdir(parents=True)
    save_settings(Settings(), folder / "run.toml")
    tasks = tuple(task.without_truth() for task in load_tasks("arc1-train").tasks)
    asyncio.run(learned(folder, tasks, rows))
    write_dataset(made_examples(tasks, rows), folder / "datasets" / "iteration-0.jsonl.zst")


async def learned(folder: Path, tasks: tuple[Task, ...], rows: int) -> None:
    """Record an iteration that was learned from."""
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks)
    writer.begin_iteration(0, "train", "made", "untrained")
    writer.end_iteration(0, 60.0)
    writer.put_checkpoint(
        Checkpoint(
            iteration=0,
            path="checkpoints/iteration-0",
            policy="openai",
            base="made",
            examples=rows,
            seconds=60.0,
            created=time.time(),
        )
    )
    await writer.close()


def measure_dataset(folder: Path) -> None:
    """Export what a run learned from in both formats, each once, as the command does."""
    for suffix in ("jsonl", "parquet"):
        with RunReader(folder) as reader, tempfile.TemporaryDirectory() as place:
            out = Path(place) / f"chats.{suffix}"

            def export(on_rows: Callable[..., None], out: Path = out) -> int:
                found, _ = examples(reader, folder, Settings())
                if out.suffix == ".parquet":
                    return write_chats_parquet(found, out, force=False, on_rows=on_rows)
                return write_chats_jsonl(found, out, on_rows)

            timed(f"dataset {suffix}", "examples", export)
            print(f"{out.name:16} {out.stat().st_size / 1e6:,.1f} MB")


def main() -> None:
    """Record a run, export it, print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=160_000, help="of 400 tasks together")
    parser.add_argument(
        "--rows", type=int, help="programs or examples to write (50,000 of a made run)"
    )
    parser.add_argument("--only", help="one of: only read, parquet, jsonl, tables, report, dataset")
    parser.add_argument("--run", type=Path, help="a run folder to export in place of a made one")
    parser.add_argument("--keep", action="store_true", help="keep the made run and print where")
    arguments = parser.parse_args()
    made, only = arguments.run is None, arguments.only
    rows = 50_000 if made and arguments.rows is None else arguments.rows
    folder = Path(tempfile.mkdtemp()) if made else arguments.run
    try:
        if only != "dataset":
            if made:
                samples = arguments.candidates // TASKS // 2
                asyncio.run(record(folder, arguments.candidates, samples))
                asyncio.run(vote(folder))
                save_settings(Settings(), folder / "run.toml")
            measure(folder, rows, only)
        if only == "dataset" or (made and only is None):
            place = folder / "learned" if made else folder
            if made:
                learn(place, rows)
            measure_dataset(place)
    finally:
        if made and not arguments.keep:
            shutil.rmtree(folder)
        elif made:
            print(folder)


if __name__ == "__main__":
    main()
