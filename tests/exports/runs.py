"""Small runs recorded by the archive's own writer, for tests of what leaves a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.arc import Pair, Task, as_grid, pack
from engine.archive.rows import Checkpoint
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, save_settings
from engine.learning.dataset import write_dataset
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Failure, Pull, candidate_id
from engine.programs.score import judge
from engine.search.vote import Tallies, rank

HOSTILE = "<script>alert('\x1b[31m\ud800')</script>"
"""Text that a page, a terminal or strict UTF-8 would stumble over."""


def task(name: str, *, known: bool = True) -> Task:
    """A task whose rule is to mirror each row; its demonstrations are of different sizes."""
    grids = [as_grid([[1, 2, 0], [3, 0, 4]]), as_grid([[5, 6]]), as_grid([[7, 0, 8, 9]])]
    given = as_grid([[0, 1, 2]])
    truth = (as_grid(given[:, ::-1]),) if known else None
    return Task(name, tuple(Pair(g, as_grid(g[:, ::-1])) for g in grids), (given,), truth)


RIGHT = "def transform(grid):\n    return [row[::-1] for row in grid]\n"
SOURCES = (
    RIGHT,
    f"def transform(grid):\n    return grid  # {HOSTILE}\n",
    "def transform(grid):\n    raise ValueError('no')\n",
    "def transform(grid):\n    return [row[::-1] for row in grid][::-1]\n",
)


def _results(task: Task, source: str) -> tuple[bytes | Failure, ...]:
    if "raise" in source:
        return tuple(Failure("exception", f"ValueError: {HOSTILE}") for _ in task.inputs)
    steps = [grid[:, ::-1] if "row[::-1]" in source else grid for grid in task.inputs]
    steps = [grid[::-1] if "grid][::-1]" in source else grid for grid in steps]
    return tuple(pack(as_grid(grid)) for grid in steps)


def record_run(
    folder: Path, tasks: list[Task], *, iterations: int = 2, settings: Settings | None = None
) -> Path:
    """Record a finished run in which every task has every source, a refinement and a repeat."""
    folder.mkdir(parents=True, exist_ok=True)
    save_settings(settings or Settings(iterations=iterations), folder / "run.toml")
    asyncio.run(_record(folder, tasks, iterations))
    return folder


def record_learned(folder: Path, searched: Task, examples: list[Example]) -> Path:
    """Record a run of one iteration that has learned from examples of one task."""
    folder.mkdir(parents=True, exist_ok=True)
    save_settings(Settings(iterations=1), folder / "run.toml")
    (folder / "datasets").mkdir()
    write_dataset(examples, folder / "datasets" / "iteration-0.jsonl.zst")
    asyncio.run(_learn(folder, searched, len(examples)))
    return folder


async def _learn(folder: Path, searched: Task, rows: int) -> None:
    writer = ArchiveWriter(folder)
    writer.put_tasks([searched])
    writer.begin_iteration(0, "train", "model", "untrained")
    record_search(writer, 0, 0, searched)
    writer.end_iteration(0, 3.0)
    writer.put_checkpoint(
        Checkpoint(0, "checkpoints/iteration-0", "openai", "base", rows, 1.0, 1e9)
    )
    await writer.close()


async def _record(folder: Path, tasks: list[Task], iterations: int) -> None:
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks)
    for iteration in range(iterations):
        writer.begin_iteration(iteration, "test", f"model {HOSTILE}", "untrained")
        for index, searched in enumerate(tasks):
            record_search(writer, iteration, index, searched)
        writer.end_iteration(iteration, 3.0)
        writer.put_metric(f"loss/{iteration}", 0, 2.0 - iteration)
        writer.put_metric(f"loss/{iteration}", 1, float("nan"))
    writer.put_event("info", "finished", HOSTILE)
    await writer.close()


def record_search(writer: ArchiveWriter, iteration: int, index: int, searched: Task) -> None:
    """Record one task's search: every source, a refinement and a repeat, and its vote."""
    tallies = Tallies()
    number = 0
    chosen = [(None, (*SOURCES[1:], None)), (0, (SOURCES[0], SOURCES[2]))]
    for pull, (parent, sources) in enumerate(chosen):
        above = None if parent is None else candidate_id(iteration, index, parent)
        operator = "sample" if parent is None else "refine"
        candidates = []
        for source in sources:
            evaluation = None
            if source is not None:
                results = _results(searched, source)
                evaluation = judge(searched.without_truth(), source, results)
            candidates.append(
                Candidate(
                    candidate_id(iteration, index, number),
                    operator,
                    pull,
                    0,
                    above,
                    source,
                    evaluation,
                    reply=f"I think {HOSTILE}",
                )
            )
            tallies.add(candidates[-1])
            number += 1
        writer.put_pull(
            Pull(iteration, index, pull, operator, 0, above, None, 7, 1e9, 0.5), candidates
        )
    ranked = [(t.pattern, w, t.count) for t, w in rank(tallies.all(), "sum", 1000.0)]
    writer.put_vote(iteration, index, "sum", ranked, 1.5)
