"""Measure the archive: rows recorded per second, bytes per candidate, milliseconds per query.

Programs are put together from the embedded policy's own primitives, 2 kB in the mean, two thirds of
them new; outputs are random changes of random grids. The yardstick is bare sqlite3: the same number
of short rows in one table, committed as often.

    python -m tests.benchmarks.archive --candidates 1000000
    python -m tests.benchmarks.archive --run DIR
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from engine.arc import Pair, Task, as_grid, pack
from engine.archive.reader import RunReader
from engine.archive.rows import CandidateQuery
from engine.archive.writer import ArchiveWriter
from engine.policies.grammar import primitives
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, candidate_id

SAMPLES, WAVE, PULL = 3000, 50, 4
TASKS = 400


def make_tasks(rng: np.random.Generator) -> list[Task]:
    """Tasks of ARC's usual size: three pairs and a test of about 12 by 12."""

    def grid():
        return as_grid(rng.choice(10, size=rng.integers(6, 18, 2), p=[0.6, *[0.4 / 9] * 9]))

    return [
        Task(f"{i:08x}", tuple(Pair(grid(), grid()) for _ in range(3)), (grid(),), (grid(),))
        for i in range(TASKS)
    ]


def functions() -> list[str]:
    """The embedded policy's functions as text: what its programs are made of."""
    found = []
    for module in sorted(Path(primitives.__file__).parent.glob("*.py")):
        parts = module.read_text().split("\ndef ")[1:]
        found += ["def " + part.split("\n\n\n")[0] for part in parts]
    return found


def searches(
    candidates: int, seed: int, samples: int = SAMPLES
) -> Iterator[tuple[Pull, list[Candidate]]]:
    """Pulls of one iteration after another, 64 tasks interleaved, 2 · `samples` candidates each."""
    rng, arrays = random.Random(seed), np.random.default_rng(seed)
    tasks, texts = make_tasks(arrays), functions()
    made, iteration = 0, 0
    while True:
        for start in range(0, TASKS, 64):
            block = range(start, min(start + 64, TASKS))
            sources: dict[int, list[str]] = {task: [] for task in block}
            results: dict[int, list[Evaluation]] = {task: [] for task in block}
            first = number = 0
            while first < 2 * samples:
                size = WAVE if first < samples else PULL
                for task in block:
                    yield _pull(
                        rng, arrays, tasks[task], texts, sources[task], results[task],
                        Pull(iteration, task, number, "sample", 0, None, None, rng.getrandbits(63),
                             time.time(), 0.5),
                        first, size, samples,
                    )  # fmt: skip
                    made += size
                    if made >= candidates:
                        return
                first += size
                number += 1
        iteration += 1


def _pull(rng, arrays, task, texts, sources, results, pull, first, size, samples):
    if first >= samples:
        parent = candidate_id(pull.iteration, pull.task, rng.randrange(samples))
        pull = Pull(pull.iteration, pull.task, pull.number, "refine", 0, parent, rng.random(),
                    pull.seed, pull.created, 0.5)  # fmt: skip
    candidates = []
    for slot in range(size):
        if not sources or rng.random() < 0.66:
            helpers = rng.choices(texts, k=rng.randrange(1, 4))
            constants = ", ".join(str(rng.randrange(100)) for _ in range(6))
            body = f"def transform(grid):\n    return f(grid, [{constants}])\n"
            sources.append("import numpy as np\n\n" + "\n\n".join(helpers) + "\n\n" + body)
        if not results or rng.random() < 0.6:
            outputs = []
            for grid in task.inputs:
                if rng.random() < 0.1:
                    outputs.append(Failure("exception", f"IndexError: index {rng.randrange(30)}"))
                    continue
                changed = np.array(grid)
                changed[arrays.random(grid.shape) < 0.1] = rng.randrange(10)
                outputs.append(pack(as_grid(changed)))
            right = tuple(rng.random() < 0.2 for _ in task.train)
            name = "invalid" if any(isinstance(o, Failure) for o in outputs) else None
            results.append(Evaluation(tuple(outputs), right, name))
        candidates.append(
            Candidate(
                candidate_id(pull.iteration, pull.task, first + slot),
                pull.operator,
                pull.number,
                0,
                pull.parent,
                rng.choice(sources[-200:]),
                rng.choice(results[-200:]),
                -rng.random() * 20,
            )
        )
    return pull, candidates


async def record(folder: Path, candidates: int, samples: int = SAMPLES) -> tuple[float, float]:
    """Record that many candidates; return seconds in put_pull, and in all until committed."""
    writer = ArchiveWriter(folder)
    writer.put_tasks(make_tasks(np.random.default_rng(1)))
    for iteration in range(1 + candidates // (TASKS * 2 * samples)):
        writer.begin_iteration(iteration, "train", "grammar", "untrained")
    putting = waiting = 0.0
    everything = searches(candidates, 1, samples)
    while True:
        # Making is kept apart from recording, so that the writer's thread has the processor.
        batch = list(islice(everything, 2000))
        if not batch:
            break
        started = time.perf_counter()
        for pull, made in batch:
            before = time.perf_counter()
            writer.put_pull(pull, made)
            putting += time.perf_counter() - before
            await writer.ready()
        await writer.flush()
        waiting += time.perf_counter() - started
    await writer.close()
    return putting, waiting


def bare(folder: Path, rows: int) -> float:
    """Return rows per second of bare sqlite3: short rows, committed every 4 000."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g)")
    started = time.perf_counter()
    for start in range(0, rows, 4000):
        connection.execute("BEGIN")
        part = [(i, i, i, i, 0.5, None, "stop", 0) for i in range(start, start + 4000)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", part)
        connection.execute("COMMIT")
    rate = rows / (time.perf_counter() - started)
    connection.close()
    return rate


def timed(name: str, call: Callable[[], object], times: int = 30) -> None:
    """Print the median and the worst milliseconds of a query."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    taken.sort()
    print(f"  {name:46} median {taken[len(taken) // 2]:8.2f} ms   worst {taken[-1]:8.2f} ms")


def query(folder: Path) -> None:
    """Time every kind of query a screen makes, each at a random place."""
    rng = random.Random(5)
    with RunReader(folder) as reader:
        rows = reader.task_rows(0)
        most = max(row.candidates for row in rows)
        tasks = [row.index for row in rows if row.candidates == most]
        last = reader.last_pull()

        def task():
            return rng.choice(tasks)

        def some(searched: int):
            return candidate_id(0, searched, rng.randrange(most))

        timed("data_version", lambda: reader.data_version)
        timed("iterations", reader.iterations)
        timed("task_rows, one iteration", lambda: reader.task_rows(0))
        timed("tail of 100 pulls", lambda: reader.pulls_after(rng.randrange(last), 100))
        timed("page of 200 candidates", lambda: reader.candidates(after=some(task())))
        timed(
            "page of 200, backwards",
            lambda: reader.candidates(after=some(task()), backwards=True),
        )
        perfect = CandidateQuery(perfect=True)
        timed("page of 200 perfect ones, whole run", lambda: reader.candidates(perfect))
        rare = CandidateQuery(accuracy=(0.1, 0.2))
        timed("page of a filter nothing matches", lambda: reader.candidates(rare))
        text = CandidateQuery(text="no such text")
        timed("page of a text nothing holds", lambda: reader.candidates(text))
        timed("one candidate", lambda: reader.candidate(some(task())))
        timed("chain", lambda: reader.chain(some(task())))
        timed("children", lambda: reader.children(some(task())))
        timed(f"tallies of {most:,}", lambda: reader.tallies(0, task()), 10)
        timed(f"arms of {most:,}", lambda: reader.arms(0, task()), 10)
        timed(f"light rows of {most:,}", lambda: reader.candidate_rows(0, task()), 10)
        timed(f"replay of {most:,} (pulls)", lambda: reader.pulls(0, task()), 5)


def main() -> None:
    """Record, then query, and print figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=400_000)
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    parser.add_argument("--run", type=Path, help="only query a run folder, e.g. of make_archive")
    arguments = parser.parse_args()
    if arguments.run is not None:
        query(arguments.run)
        return
    folder = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        print(f"bare sqlite3: {bare(folder, 200_000):,.0f} rows/s")
        cpu = time.process_time()
        putting, waiting = asyncio.run(record(folder, arguments.candidates))
        count = arguments.candidates
        print(f"recorded {count:,} candidates: {count / waiting:,.0f}/s until committed,")
        print(f"  of that {1e6 * putting / count:.1f} µs each in put_pull")
        print(
            f"  (all processor time, making the data included: {time.process_time() - cpu:.0f} s)"
        )
        size = (folder / "archive.db").stat().st_size
        print(f"  {size / count:.0f} bytes per candidate, {size / 1e6:,.0f} MB")
        query(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
