"""Hypothesis strategies for what an engine records, hostile text included."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from engine.arc import Task, pack
from engine.archive.writer import ArchiveWriter
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, candidate_id
from tests.arc.drawn import grids, tasks

# Every code point, lone surrogates and NUL too, and what terminals, SQL and zstd care about.
texts = st.text(st.characters(exclude_categories=[]), max_size=80) | st.sampled_from(
    ["", "\0", "\ud800", "'; DROP TABLE task; --", "\x1b]0;x\x07", "(\ufffd/\ufffd", "é" * 3000]
)
kinds = st.sampled_from(["exception", "timeout", "memory", "invalid", "crash", "refused"])
failures = st.builds(Failure, kinds, texts.map(lambda text: text[:300]))
results = grids(6).map(pack) | failures
filters = st.sampled_from([None, None, "invalid", "blank", "constant", "identity", "transduction"])
times = st.floats(0, 2e9)
numbers = st.floats(allow_nan=False)


@dataclass(frozen=True)
class Recorded:
    """Tasks, and per (iteration, task) the pulls of its search with their candidates."""

    tasks: list[Task]
    iterations: int
    searches: dict[tuple[int, int], list[tuple[Pull, list[Candidate]]]]

    def candidates(self, iteration, task):
        pulls = self.searches.get((iteration, task), [])
        return [candidate for _, candidates in pulls for candidate in candidates]


@st.composite
def evaluations(draw, task):
    pool = draw(st.lists(results, min_size=1, max_size=3))
    true = [pack(grid) for grid in task.truth or ()]
    inputs = len(task.train) + len(task.test)
    given = draw(st.lists(st.sampled_from(pool), min_size=inputs, max_size=inputs))
    if true and draw(st.booleans()):
        given[len(task.train) :] = true
    marks = st.lists(st.booleans(), min_size=len(task.train), max_size=len(task.train))
    right = draw(marks | st.just([True] * len(task.train)))
    return Evaluation(tuple(given), tuple(right), draw(filters))


@st.composite
def recorded(draw):
    """Two tasks, one or two iterations, searches of a few pulls that share programs."""
    run_tasks = []
    for name in draw(st.lists(texts, min_size=2, max_size=2, unique=True)):
        task = draw(tasks(4))
        run_tasks.append(Task(name, task.train, task.test, task.truth))
    iterations = draw(st.integers(1, 2))
    searches = {}
    for iteration in range(iterations):
        for index, task in enumerate(run_tasks):
            pool = draw(st.lists(st.tuples(texts, evaluations(task)), min_size=1, max_size=4))
            searches[iteration, index] = _pulls(draw, iteration, index, pool)
    return Recorded(run_tasks, iterations, searches)


def _pulls(draw, iteration, index, pool):
    pulls, first = [], 0
    for number in sorted(draw(st.sets(st.integers(0, 9), max_size=4))):
        parent = None
        if first and draw(st.booleans()):
            parent = candidate_id(iteration, index, draw(st.integers(0, first - 1)))
        pull = Pull(
            iteration,
            index,
            number,
            "sample" if parent is None else "refine",
            draw(st.integers(0, 1)),
            parent,
            None if parent is None else draw(st.floats(0, 1)),
            draw(st.integers(0, (1 << 63) - 1)),
            draw(times),
            draw(times),
        )
        candidates = []
        for slot in range(draw(st.integers(0, 4))):
            source, evaluation = draw(st.sampled_from([*pool, (None, None)]))
            candidates.append(
                Candidate(
                    candidate_id(iteration, index, first + slot),
                    pull.operator,
                    number,
                    pull.island,
                    parent,
                    source,
                    evaluation,
                    draw(st.none() | numbers),
                    draw(st.none() | texts),
                    draw(st.sampled_from(["stop", "length"]) | texts),
                    draw(st.integers(0, 30_000)),
                    draw(st.integers(0, 30_000)),
                    draw(st.integers(0, 30_000)),
                    draw(st.floats(0, 1e3)),
                    draw(st.none() | texts),
                )
            )
        first += len(candidates)
        pulls.append((pull, candidates))
    return pulls


def record(folder: Path, given: Recorded) -> None:
    """Record all of it, the searches of an iteration interleaved as a real engine does."""

    async def write():
        writer = ArchiveWriter(folder)
        writer.put_tasks(given.tasks)
        for iteration in range(given.iterations):
            writer.begin_iteration(iteration, "train", "grammar", "untrained")
            waiting = [list(given.searches[iteration, index]) for index in range(len(given.tasks))]
            while any(waiting):
                for pulls in filter(None, waiting):
                    writer.put_pull(*pulls.pop(0))
        await writer.close()

    asyncio.run(write())
