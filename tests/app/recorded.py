"""Small runs as an engine would have recorded them, made with the archive's own writer.

The programs are not run: a candidate's results are the true outputs with some cells changed, so
that the same seed gives the same run.
"""

import asyncio
import random
from dataclasses import replace

import msgspec

from engine.arc import load_tasks, pack
from engine.arc.grid import as_grid
from engine.archive.reader import RunReader
from engine.archive.rows import Checkpoint, Example
from engine.archive.writer import ArchiveWriter
from engine.config import override, preset, save_settings
from engine.control import SETTINGS_NAME
from engine.programs.candidate import Candidate, Evaluation, Failure, Pull, candidate_id
from engine.search.rex import may_be_arm
from engine.search.vote import Tallies, rank

NOW = 1_795_000_000.0
"""The time at which everything in these runs happens, and at which tests look at it."""

WAVE, REFINEMENTS, WAVES, PULLS = 10, 4, 2, 6


def settings(tasks="sample:6", iterations=2, **changes):
    budget = {
        "tasks": tasks,
        "iterations": iterations,
        "search.samples": WAVE * WAVES,
        "search.wave": WAVE,
        "search.refinements": REFINEMENTS * PULLS,
        "search.perfect_stop": 30,
    }
    return override(preset("demo"), {**budget, **changes})


def make_folder(folder, chosen):
    (folder / "logs").mkdir(parents=True)
    save_settings(chosen, folder / SETTINGS_NAME)
    return folder


def _changed(rng, grid, cells):
    rows, columns = grid.shape
    copy = grid.copy()
    for _ in range(cells):
        y, x = rng.randrange(rows), rng.randrange(columns)
        copy[y, x] = (copy[y, x] + rng.randrange(1, 10)) % 10
    return pack(as_grid(copy))


def evaluation(rng, task, skill):
    """Return what a program of some skill, 0..1, gives: the true outputs or spoilt ones."""
    truth = task.truth or tuple(task.test)
    outputs = [*(pair.output for pair in task.train), *truth]
    results, right = [], []
    for place, grid in enumerate(outputs):
        if rng.random() < 0.04:
            results.append(Failure("exception", "IndexError: list index out of range"))
            right.append(False)
            continue
        good = rng.random() < skill
        results.append(_changed(rng, grid, 0 if good else rng.randrange(1, 6)))
        right.append(good and results[-1] == pack(grid))
        del place
    barred = "identity" if rng.random() < 0.08 else None
    if any(isinstance(result, Failure) for result in results):
        barred = "invalid"
    return Evaluation(tuple(results), tuple(right[: len(task.train)]), barred)


def source_of(number, rng):
    lines = ["def transform(grid):", f"    shift = {number % 7}"]
    lines += [f"    grid = step_{rng.randrange(9)}(grid, {k})" for k in range(rng.randrange(1, 5))]
    return "\n".join([*lines, "    return grid", ""])


def pulls_of(task, iteration, index, rng, *, pulls=PULLS):
    """Yield one search's pulls with their candidates: waves of samples, then refinements."""
    made = []
    number = 0
    for order in range(WAVES + pulls):
        parent, draw, count = None, None, WAVE
        if order >= WAVES:
            arms = [one for one in made if one.evaluation is not None and may_be_arm(one)]
            best = sorted(arms, key=lambda one: one.evaluation.accuracy)[-3:]
            parent, draw, count = rng.choice(best).id, round(rng.random(), 3), REFINEMENTS
        operator = "sample" if parent is None else "refine"
        pull = Pull(
            iteration, index, order, operator, 0, parent, draw, rng.randrange(1 << 40), NOW, 0.2
        )
        skill = 0.15 if parent is None else 0.3 + 0.1 * order
        candidates = []
        for _ in range(count):
            held = rng.random() < 0.95
            candidates.append(
                Candidate(
                    candidate_id(iteration, index, number),
                    operator,
                    order,
                    0,
                    parent,
                    source_of(number, rng) if held else None,
                    evaluation(rng, task, min(skill, 0.95)) if held else None,
                    reply=None if held else "I think the rule is to mirror it.",
                )
            )
            number += 1
        made += candidates
        yield pull, candidates


async def record(folder, *, chosen=None, tasks=None, searched=None, seed=0, learned=True):
    """Record a run; `searched` iterations of it (all), the last one without the last task's vote."""
    chosen = settings() if chosen is None else chosen
    if not (folder / SETTINGS_NAME).exists():
        make_folder(folder, chosen)
    tasks = load_tasks(chosen.tasks).tasks if tasks is None else tasks
    searched = chosen.iterations if searched is None else searched
    rng = random.Random(seed)
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks)
    writer.put_event("info", "start", "engine 4711 started")
    for iteration in range(searched):
        writer.begin_iteration(iteration, "test", "grammar", "untrained" if not iteration else "m1")
        for index, task in enumerate(tasks):
            tallies = Tallies()
            for pull, candidates in pulls_of(task, iteration, index, rng):
                writer.put_pull(pull, candidates)
                for candidate in candidates:
                    tallies.add(candidate)
            ranked = [(t.pattern, w, t.count) for t, w in rank(tallies.all(), "sum", 1000.0)]
            writer.put_vote(iteration, index, "sum", ranked, 3.5)
        writer.end_iteration(iteration, 21.0)
        if learned and iteration + 1 < searched:
            _learn(writer, iteration, tasks, rng)
    writer.put_event("info", "finished", "engine 4711 ended: finished")
    put_statuses(writer, iteration=max(0, searched - 1))
    await writer.flush()
    await writer.close()
    (folder / "logs" / "engine.log").write_text("2026-11-20 INFO all went well\n")
    return folder


def _learn(writer, iteration, tasks, rng):
    examples = []
    for index in range(len(tasks)):
        for number in range(4):
            label = rng.choice(("correct", "hindsight", "hindsight"))
            examples.append(
                Example(iteration, "sample", label, candidate_id(iteration, index, number))
            )
        examples.append(
            Example(
                iteration,
                "sample",
                "rejected",
                candidate_id(iteration, index, 5),
                rejected="duplicate outputs",
            )
        )
    writer.put_examples(examples)
    for step in range(12):
        writer.put_metric(f"loss/{iteration}", step, 2.0 / (step + 1))
    writer.put_checkpoint(Checkpoint(iteration, "checkpoints/m1", "grammar", "", 24, 8.0, NOW))


def put_statuses(writer, *, iteration=0, heartbeat=NOW, **changes):
    writer.put_status(
        "engine",
        {
            "process": 4711,
            "started": NOW - 60,
            "heartbeat": heartbeat,
            "paused": False,
            "draining": False,
            "iteration": iteration,
            "iteration_seconds": 21.0,
            **changes,
        },
    )
    writer.put_status(
        "policy", {"name": "grammar", "checkpoint": "untrained", "in_flight": 0, "ready": True}
    )
    writer.put_status(
        "sandbox",
        {
            "level": "strong",
            "layers": {"seccomp": "on", "landlock": "on", "uid": "not asked for"},
            "workers": 2,
            "programs": 400,
            "kills": {"timeout": 3},
            "queued": 0,
            "mismatches": 0,
            "restarts": 0,
        },
    )


def best_candidate(folder):
    """Return the id of a candidate with a chain of some length."""
    with RunReader(folder) as reader:
        rows = [row for row in reader.candidate_rows(0, 0) if row.operator == "refine"]
        return max(rows, key=lambda row: (len(reader.chain(row.id)), -row.id)).id


HOSTILE = (
    "\x1b[31mred\x1b]52;c;YWJj\x07 [bold]markup[/x] [/] \u202egnp.exe\u200b\x00\x9b31m "
    + "\N{FAMILY}" * 3
)


async def record_hostile(folder):
    """Record a run in which every string that is not ours wants to harm a terminal."""
    chosen = settings("sample:2", iterations=1)
    tasks = tuple(
        replace(task, id=f"{n}{HOSTILE}") for n, task in enumerate(load_tasks("sample:2").tasks)
    )
    make_folder(folder, chosen)
    rng = random.Random(1)
    writer = ArchiveWriter(folder)
    writer.put_tasks(tasks)
    writer.put_event("error", HOSTILE, HOSTILE)
    writer.begin_iteration(0, "test", HOSTILE, HOSTILE)
    long_line = "x = '" + "[/b]\x1b[2J" * 100_000 + "'"
    for index, task in enumerate(tasks):
        for pull, candidates in pulls_of(task, 0, index, rng, pulls=2):
            spoilt = []
            for place, candidate in enumerate(candidates):
                found = candidate.evaluation
                if found is not None:
                    bad = Failure("exception", HOSTILE)
                    found = Evaluation((bad, *found.results[1:]), (False, *found.right[1:]), None)
                text = (
                    f"# {HOSTILE}\n{long_line if place == 0 else ''}\n{HOSTILE}\n# {candidate.id}"
                )
                spoilt.append(replace(candidate, source=text, evaluation=found, reply=HOSTILE))
            writer.put_pull(pull, spoilt)
    writer.put_event("error", "crash", HOSTILE)
    writer.put_status("policy", {HOSTILE: HOSTILE})
    writer.put_status(HOSTILE, {"key": HOSTILE})
    await writer.flush()
    await writer.close()
    (folder / "logs" / "engine.log").write_text(HOSTILE * 30)
    return folder


def recorded(folder, **how):
    """Record in a loop of its own, as fixtures do."""
    return asyncio.run(record(folder, **how))


def plain(chosen):
    """Return settings as plain data, for tests that compare them."""
    return msgspec.to_builtins(chosen)
