"""Recorded runs in which some tasks are solved, some outvoted, some missed and some lost.

Programs are not run: results are true outputs with some cells changed. Wrong answers come in a few
kinds, so that they win votes too; programs return, so that duplicates count.
"""

import random

from engine.arc import load_tasks, pack
from engine.arc.grid import as_grid
from engine.archive.rows import Checkpoint
from engine.archive.writer import ArchiveWriter
from engine.config import override, preset
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, candidate_id
from engine.search.invariants import invariants_of
from engine.search.vote import Tallies, rank
from tests.app.recorded import NOW, make_folder

TASKS = 12


def settings(**changes):
    budget = {"tasks": f"sample:{TASKS}", "iterations": 2, "vote.formula": "sum"}
    return override(preset("demo"), {**budget, **changes})


def _spoilt(grid, kind):
    """Return a wrong output; the same kind is always wrong in the same way, kind 0 in shape."""
    if kind == 0:
        return pack(as_grid([[0]]))
    copy = grid.copy()
    cells = copy.reshape(-1)
    for place in range(kind):
        cells[place * 7 % len(cells)] = (cells[place * 7 % len(cells)] + kind) % 10
    return pack(as_grid(copy))


def _evaluation(rng, task, skill):
    outputs = [*(pair.output for pair in task.train), *task.truth]
    kind = rng.choice((0, 1, 1, 2, 3, 5))
    right = [rng.random() < skill for _ in outputs]
    results = [
        Failure("exception", "IndexError: out of range")
        if rng.random() < 0.02
        else pack(grid)
        if good
        else _spoilt(grid, kind)
        for grid, good in zip(outputs, right, strict=True)
    ]
    marks = tuple(result == pack(grid) for result, grid in zip(results, outputs, strict=True))
    barred = "identity" if rng.random() < 0.1 else None
    if any(isinstance(result, Failure) for result in results):
        barred = "invalid"
    return Evaluation(tuple(results), marks[: len(task.train)], barred)


def pulls_of(task, iteration, index, rng, skill, sources):
    """Yield a search's pulls: waves of samples, then refinements of any sample or refinement."""
    pool = [
        (f"def transform(grid):\n    return step_{n}(grid, {n * n})\n", None)
        for n in range(sources)
    ]
    pool = [(source, _evaluation(rng, task, skill)) for source, _ in pool]
    better = [(f"{source}# repaired\n", _evaluation(rng, task, skill + 0.2)) for source, _ in pool]
    made, number = [], 0
    for order in range(rng.randrange(4, 20)):
        refine = order >= 3 and bool(made)
        parent = rng.choice(made).id if refine else None
        draw = round(rng.random(), 3) if refine else None
        pull = Pull(
            iteration,
            index,
            order,
            "refine" if refine else "sample",
            0,
            parent,
            draw,
            order,
            NOW + 10 * rng.random() + order,
            0.2,
        )
        candidates = []
        for _ in range(4 if refine else 9):
            source, found = rng.choice(better if refine else pool)
            held = rng.random() < 0.95
            candidates.append(
                Candidate(
                    candidate_id(iteration, index, number),
                    pull.operator,
                    order,
                    0,
                    parent,
                    source if held else None,
                    found if held else None,
                    prior=-rng.randrange(1, 9) if held and rng.random() < 0.8 else None,
                    tokens_in=rng.randrange(500),
                    tokens_out=rng.randrange(90),
                    tokens_cached=3,
                    cost=rng.random() / 100,
                )
            )
            number += 1
        made += candidates
        yield pull, candidates


async def record(folder, chosen, *, seed, known=True, voted=TASKS, sources=40, later=None):
    """Record a run; the last iteration has votes on its first `voted` tasks only.

    Every search draws its samples from so many different `sources`, those after the first
    iteration from `later` if that is given.
    """
    make_folder(folder, chosen)
    rng = random.Random(seed)
    tasks = load_tasks(chosen.tasks).tasks
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks if known else [task.without_truth() for task in tasks])
    for iteration in range(chosen.iterations):
        different = sources if later is None or not iteration else later
        writer.begin_iteration(iteration, "test", "grammar", "untrained")
        for index, task in enumerate(tasks):
            tallies = Tallies()
            skill = rng.choice((0.05, 0.3, 0.45, 0.6, 0.8))
            for pull, candidates in pulls_of(task, iteration, index, rng, skill, different):
                writer.put_pull(pull, candidates)
                for candidate in candidates:
                    tallies.add(candidate)
            vote = chosen.vote
            ranked = [
                (tally.pattern, weight, tally.count)
                for tally, weight in rank(tallies.all(), vote.formula, vote.c, invariants_of(task))
            ]
            if iteration + 1 < chosen.iterations or index < voted:
                writer.put_vote(iteration, index, vote.formula, ranked, 3.5)
        writer.end_iteration(iteration, 21.0)
        if iteration + 1 < chosen.iterations:
            writer.put_checkpoint(
                Checkpoint(iteration, "checkpoints/m1", "grammar", "", 24, 8.0, NOW)
            )
    await writer.flush()
    await writer.close()
    return folder
