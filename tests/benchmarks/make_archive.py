"""Make a run folder of any size, as an engine would have left it, in minutes instead of days.

Programs are those that the embedded policy really found on sample tasks (see stock.py), with other
names and numbers; tasks are sample tasks in other colours; what was right stays right, wrong
outputs are changed further. Parents, chains, votes, examples, curves, checkpoints and the journal
are there, and everything goes through the archive's own writer.

    python -m tests.benchmarks.make_archive DIR --candidates 10000000 --tasks 400 --iterations 4
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.arc import Pair, Task
from engine.archive.rows import Checkpoint, Example
from engine.archive.writer import ArchiveWriter
from engine.config import Settings, override, preset, save_settings
from engine.control import SETTINGS_NAME
from engine.policies.open import SHIPPED
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, Result, candidate_id
from engine.search.rex import may_be_arm
from engine.search.vote import Tallies, rank
from tests.benchmarks.stock import Found, Stock, gather_stock

WAVE, PULL, IN_FLIGHT = 50, 4, 8
NEW_PROGRAM, NEW_OUTCOME = 0.66, 0.6
"""Shares of candidates whose source, and whose outputs if they are wrong, were not there before."""
RENAMINGS = 6
"""How many authors with names of their own each program found has in a search."""
SECONDS_PER_PULL = 0.05


def recolouring(rng: random.Random, plain: bool) -> bytes:
    """Return a table for bytes.translate that keeps black and permutes the other colours."""
    others = list(range(1, 10))
    if not plain:
        rng.shuffle(others)
    return bytes([0, *others, *range(10, 256)])


def recoloured(task: Task, table: bytes, name: str) -> Task:
    """Return a task in other colours."""
    lookup = np.frombuffer(table, dtype=np.uint8)

    def grid(cells):
        changed = lookup[cells]
        changed.flags.writeable = False
        return changed

    pairs = tuple(Pair(grid(pair.input), grid(pair.output)) for pair in task.train)
    truth = None if task.truth is None else tuple(map(grid, task.truth))
    return Task(name, pairs, tuple(map(grid, task.test)), truth)


class MadeSearch:
    """One task's search in one iteration, made up pull by pull from the stock."""

    def __init__(
        self, place: tuple[int, int], stock: Stock, table: bytes, candidates: int, seed: int
    ) -> None:
        self.iteration, self.task = place
        self.tallies = Tallies()
        self._rng = random.Random(f"{seed}/{place}")
        self._left, self._made = candidates, 0
        self._stock, self._table = stock, table
        self._truths = [_paint(truth, table) for truth in stock.truths]
        self._samples: list[Found] = []
        self._refinements: list[Found] = []
        self._arms: list[int] = []
        self._recent: list[tuple[str, Evaluation, float | None]] = []
        self.examples: list[Example] = []

    def _painted(self, found: list[Found], table: bytes) -> list[Found]:
        """Return what was found in this task's colours, in some renamings each."""
        painted = []
        for one in found:
            results = tuple(
                result if isinstance(result, Failure) else _paint(result, table)
                for result in one.evaluation.results
            )
            evaluation = replace(one.evaluation, results=results)
            for _ in range(RENAMINGS):
                text = one.text.renamed(self._rng)
                painted.append(Found(text, evaluation, one.prior))
        return painted

    def pulls(self, started: float) -> Iterator[tuple[Pull, list[Candidate]]]:
        """Yield pulls: waves of samples for the first half, then refinements of earlier ones."""
        stock = self._stock
        self._samples = self._painted(stock.samples, self._table)
        self._refinements = self._painted(stock.refinements or stock.samples, self._table)
        rng, samples, number = self._rng, self._left // 2, 0
        while self._left:
            refines = self._made >= samples and bool(self._arms)
            size = min(PULL if refines else WAVE, self._left)
            if not refines and self._made < samples:
                size = min(size, samples - self._made)
            # Thompson sampling comes back to few arms: late ones, since children are better.
            parent = self._arms[int(len(self._arms) * (1 - rng.random() ** 2))] if refines else None
            operator = "refine" if refines else "sample"
            pull = Pull(
                self.iteration, self.task, number, operator, 0, parent,
                rng.random() if refines else None, rng.getrandbits(63),
                started + number * SECONDS_PER_PULL, 1 + rng.random(),
            )  # fmt: skip
            yield pull, [self._candidate(pull) for _ in range(size)]
            self._left -= size
            number += 1

    def _candidate(self, pull: Pull) -> Candidate:
        rng = self._rng
        if self._recent and rng.random() > NEW_PROGRAM:
            source, evaluation, prior = self._recent[int(rng.random() * len(self._recent))]
        else:
            stock = self._refinements if pull.parent is not None else self._samples
            found = stock[int(rng.random() * len(stock))]
            source, evaluation = found.text.changed(rng), self._changed(found.evaluation)
            prior = None if found.prior is None else found.prior - rng.random()
            self._remember((source, evaluation, prior))
        identifier = candidate_id(self.iteration, self.task, self._made)
        self._made += 1
        candidate = Candidate(
            identifier, pull.operator, pull.number, 0, pull.parent, source, evaluation, prior
        )
        self.tallies.add(candidate)
        if may_be_arm(candidate):
            self._arms.append(identifier)
        if len(self.examples) < 50 and rng.random() < 0.02:
            label = "correct" if evaluation.perfect else "hindsight"
            self.examples.append(Example(self.iteration, "sample", label, identifier))
        return candidate

    def _remember(self, one: tuple[str, Evaluation, float | None]) -> None:
        if len(self._recent) < 200:
            self._recent.append(one)
        else:
            self._recent[int(self._rng.random() * 200)] = one

    def _changed(self, evaluation: Evaluation) -> Evaluation:
        """Change some cells of outputs that are wrong; a filtered one stays what was filtered."""
        rng = self._rng
        if evaluation.filter is not None or rng.random() > NEW_OUTCOME:
            return evaluation
        results: list[Result] = []
        for result, truth in zip(evaluation.results, self._truths, strict=True):
            if isinstance(result, Failure) or result == truth or rng.random() < 0.3:
                results.append(result)
                continue
            cells = bytearray(result)
            for _ in range(1 + int(rng.random() * 4)):
                cells[2 + int(rng.random() * (len(cells) - 2))] = int(rng.random() * 10)
            results.append(result if cells == truth else bytes(cells))
        return replace(evaluation, results=tuple(results))


def _paint(grid: bytes, table: bytes) -> bytes:
    return grid[:2] + grid[2:].translate(table)


def settings(candidates: int, tasks: int, iterations: int, seed: int) -> Settings:
    """Return the settings of a run that such an archive could be of."""
    each = -(-candidates // (tasks * iterations))
    return override(
        preset("paper"),
        {
            "tasks": f"sample:{min(tasks, 45)}",
            "seed": seed,
            "iterations": iterations,
            "tasks_in_flight": IN_FLIGHT,
            "search.samples": each // 2,
            "search.refinements": each - each // 2,
        },
    )


class MadeRun:
    """Writes a made-up run through the archive's writer; `made` counts its candidates so far.

    `rate`: at most so many candidates a second, counted from the first; None: as fast as it goes.
    """

    def __init__(
        self,
        folder: Path,
        stock: list[Stock],
        tasks: int,
        *,
        seed: int = 0,
        rate: float | None = None,
    ) -> None:
        self.made = 0
        self._folder = folder
        self._seed = seed
        self._rate = rate
        self._started: float | None = None
        rng = random.Random(seed)
        self._tables = [recolouring(rng, plain=index < len(stock)) for index in range(tasks)]
        self._stocks = [stock[index % len(stock)] for index in range(tasks)]
        self._stock = stock

    async def write(self, candidates: int, iterations: int) -> None:
        """Write the whole run: `candidates` over all tasks and iterations, the shares equal."""
        folder, tasks = self._folder, len(self._stocks)
        (folder / "logs").mkdir(parents=True)
        (folder / "checkpoints").mkdir()
        save_settings(settings(candidates, tasks, iterations, self._seed), folder / SETTINGS_NAME)
        (folder / "logs" / "engine.log").write_text("2026-11-20 12:00:00 INFO made, not searched\n")
        writer = ArchiveWriter(folder)
        try:
            writer.put_tasks([
                recoloured(stock.task, table, f"{stock.task.id}-{index // len(self._stock):02}")
                for index, (stock, table) in enumerate(zip(self._stocks, self._tables, strict=True))
            ])  # fmt: skip
            writer.put_event("info", "start", "engine 1 started")
            parts = tasks * iterations
            ends = [part * candidates // parts for part in range(parts + 1)]
            sizes = [end - start for start, end in pairwise(ends)]
            for iteration in range(iterations):
                examples = await self.search(
                    writer, iteration, sizes[iteration * tasks : (iteration + 1) * tasks]
                )
                if iteration + 1 < iterations:
                    self._learn(writer, iteration, examples)
                await writer.flush()
            writer.put_event("info", "finished", "engine 1 ended: finished")
        finally:
            await writer.close()

    async def search(
        self, writer: ArchiveWriter, iteration: int, sizes: Sequence[int]
    ) -> list[Example]:
        """Write one iteration, `sizes` candidates of each task; return what it could teach."""
        name = "untrained" if not iteration else f"iteration-{iteration - 1}"
        writer.begin_iteration(iteration, "test", "grammar", name)
        waiting = (
            MadeSearch((iteration, task), self._stocks[task], self._tables[task], size, self._seed)
            for task, size in enumerate(sizes)
        )
        examples: list[Example] = []
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(self._search_some(writer, waiting, examples))
        writer.end_iteration(iteration, 3600.0)
        return examples

    async def _search_some(
        self, writer: ArchiveWriter, waiting: Iterator[MadeSearch], examples: list[Example]
    ) -> None:
        for search in waiting:
            for pull, candidates in search.pulls(time.time()):
                writer.put_pull(pull, candidates)
                self.made += len(candidates)
                await writer.ready()
                await asyncio.sleep(self._ahead())
            ranked = [(t.pattern, w, t.count) for t, w in rank(search.tallies.all(), "sum", 1000.0)]
            writer.put_vote(search.iteration, search.task, "sum", ranked, 60.0)
            examples += search.examples
            writer.put_metric(f"made/{search.iteration}", search.task, float(self.made))

    def _ahead(self) -> float:
        """Return the seconds by which it is faster than its rate."""
        now = time.monotonic()
        if self._rate is None:
            return 0.0
        if self._started is None:
            self._started = now
        return max(0.0, self.made / self._rate - (now - self._started))

    def _learn(self, writer: ArchiveWriter, iteration: int, examples: list[Example]) -> None:
        path = Path("checkpoints") / f"iteration-{iteration}.npz"
        shutil.copyfile(SHIPPED, self._folder / path)
        for step in range(100):
            writer.put_metric(f"loss/{iteration}", step, 2.0 / (1 + step) ** 0.5)
        writer.put_examples(examples)
        writer.put_checkpoint(
            Checkpoint(iteration, str(path), "grammar", "", len(examples), 60.0, time.time())
        )


async def make(
    folder: Path, candidates: int, tasks: int, iterations: int, *, seed: int = 0
) -> float:
    """Make a run folder, telling progress on stderr; return candidates written per second."""
    run = MadeRun(folder, await gather_stock(), tasks, seed=seed)
    started = time.monotonic()

    async def tell() -> None:
        while True:
            await asyncio.sleep(5)
            rate = run.made / (time.monotonic() - started)
            print(f"{run.made:,} of {candidates:,} candidates, {rate:,.0f}/s", file=sys.stderr)

    telling = asyncio.create_task(tell())
    try:
        await run.write(candidates, iterations)
    finally:
        telling.cancel()
    return run.made / (time.monotonic() - started)


def main() -> None:
    """Make what the command line asks for and print its rate and its size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="the run folder to make; must not exist")
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--tasks", type=int, default=400)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.folder.exists():
        parser.error(f"{arguments.folder}: is there already")
    rate = asyncio.run(
        make(
            arguments.folder, arguments.candidates, arguments.tasks, arguments.iterations,
            seed=arguments.seed,
        )
    )  # fmt: skip
    size = sum(path.stat().st_size for path in arguments.folder.rglob("*") if path.is_file())
    print(
        f"{arguments.candidates:,} candidates at {rate:,.0f}/s, "
        f"{size / arguments.candidates:.0f} bytes each, {size / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    main()
