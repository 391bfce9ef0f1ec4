"""What a finished run was worth, task by task, and how sure one can be of it.

All figures come from the archive's candidates: the vote is taken again by every formula and over
the first b candidates alone, so that runs of one archive compare whatever formula they voted by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.arc import Task, pack
from engine.archive.reader import RunReader
from engine.config import Formula, VoteConfig
from engine.programs.candidate import Candidate
from engine.search.invariants import invariants_of
from engine.search.vote import SUBMISSIONS, Tallies, rank

FORMULAS: tuple[Formula, ...] = get_args(Formula)
RESAMPLES = 2000
Marks: TypeAlias = NDArray[np.bool_]
Statistic: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One task in one iteration, or over several pooled.

    `solved` says by formula whether one of two submissions is right on every test input, `at` the
    same by the run's own formula over the first b candidates alone; `oracle` whether any candidate
    is that a vote could have chosen (no filter fired on it).
    """

    candidates: int
    oracle: bool
    solved: dict[Formula, bool]
    at: dict[int, bool]


class Part(msgspec.Struct, frozen=True):
    """One iteration on the target tasks (`label` its place among them), or all of them pooled.

    `candidates` counts them task by task, in the target's order. `right` holds, by `oracle`, a
    formula or `@b`, one bit a task in that order, as hexadecimal digits, the last ones filled up.
    """

    label: str
    candidates: tuple[int, ...]
    right: dict[str, str]
    seconds: float


class RunScore(msgspec.Struct, frozen=True):
    """One run: the commit it was searched at, its parts, the seconds of what went before them."""

    commit: str
    parts: tuple[Part, ...]
    train_search: float
    learning: float


def score_run(folder: Path, vote: VoteConfig, budgets: Sequence[int], commit: str) -> RunScore:
    """Score a finished run's iterations on its target tasks, and these pooled if several."""
    with RunReader(folder) as reader:
        tasks, training = reader.tasks(), reader.training_tasks()
        rows = reader.iterations()
        targets = [row for row in rows if row.phase == "test"]
        first = training if training < len(tasks) else 0
        pools: dict[str, list[int]] = {str(n): [row.index] for n, row in enumerate(targets)}
        if len(targets) > 1:
            pools["pooled"] = [row.index for row in targets]
        seconds = {row.index: row.seconds or 0.0 for row in rows}
        parts = tuple(
            part_of(
                label,
                [
                    score_task(tasks[index], _candidates(reader, pool, index), vote, budgets)
                    for index in range(first, len(tasks))
                ],
                sum(seconds[iteration] for iteration in pool),
            )
            for label, pool in pools.items()
        )
        return RunScore(
            commit,
            parts,
            train_search=sum(seconds[row.index] for row in rows if row.phase == "train"),
            learning=sum(checkpoint.seconds for checkpoint in reader.checkpoints()),
        )


def part_of(label: str, tasks: Sequence[TaskScore], seconds: float) -> Part:
    """Return the tasks' scores column by column."""
    columns: dict[str, list[bool]] = {"oracle": [task.oracle for task in tasks]}
    for formula in FORMULAS:
        columns[formula] = [task.solved[formula] for task in tasks]
    for budget in tasks[0].at:
        columns[f"@{budget}"] = [task.at[budget] for task in tasks]
    right = {what: np.packbits(column).tobytes().hex() for what, column in columns.items()}
    return Part(label, tuple(task.candidates for task in tasks), right, seconds)


def _candidates(reader: RunReader, iterations: Sequence[int], task: int) -> list[Candidate]:
    return [
        candidate
        for iteration in iterations
        for _, candidates in reader.pulls(iteration, task)
        for candidate in candidates
    ]


def score_task(
    task: Task, candidates: Sequence[Candidate], vote: VoteConfig, budgets: Sequence[int]
) -> TaskScore:
    """Vote on a task's candidates, in the order they came, and hold it against the truth.

    Raises ValueError for a task whose truth is not known.
    """
    truth = _truth(task)
    tallies = Tallies()
    at: dict[int, bool] = {}
    for number, candidate in enumerate(candidates, 1):
        tallies.add(candidate)
        if number in budgets:
            at[number] = _solved(tallies, task, vote.formula, vote.c)
    solved = {formula: _solved(tallies, task, formula, vote.c) for formula in FORMULAS}
    # A search that ended early had said all it was going to say.
    at |= {budget: solved[vote.formula] for budget in budgets if budget > len(candidates)}
    oracle = any(tally.pattern == truth for tally in tallies.all())
    return TaskScore(len(candidates), oracle, solved, at)


def _solved(tallies: Tallies, task: Task, formula: Formula, c: float) -> bool:
    submitted = rank(tallies.all(), formula, c, invariants_of(task))[:SUBMISSIONS]
    return any(tally.pattern == _truth(task) for tally, _ in submitted)


def _truth(task: Task) -> bytes:
    """Return the pattern that is right. Raises ValueError for a task whose truth is not known."""
    if task.truth is None:
        raise ValueError(f"task {task.id}: its truth is not known, so nothing can be scored")
    return b"".join(map(pack, task.truth))


def marks(parts: Iterable[Part], what: str) -> Marks:
    """Return one row per part (a seed) and one column per task: `oracle`, a formula, or `@b`."""
    return np.array([_unpacked(part.right[what], len(part.candidates)) for part in parts])


def _unpacked(digits: str, tasks: int) -> Marks:
    packed = np.frombuffer(bytes.fromhex(digits), dtype=np.uint8)
    return np.unpackbits(packed, count=tasks).astype(bool)


class Estimate(msgspec.Struct, frozen=True):
    """A median over seeds, and the 95 % interval that resampling the tasks gives it."""

    median: float
    low: float
    high: float


def estimate(found: Marks) -> Estimate:
    """Return how many tasks were solved, the median over seeds; `found` is (seeds, tasks)."""
    return _estimate(lambda tasks: np.median(found[:, tasks].sum(axis=-1), axis=0), found.shape[1])


def difference(found: Marks, other: Marks) -> Estimate:
    """Return how many more tasks were solved than by another; the same tasks are resampled.

    The difference of the medians over seeds. Raises ValueError for tables of different tasks.
    """
    if found.shape[1] != other.shape[1]:
        raise ValueError(f"{found.shape[1]} tasks cannot be held against {other.shape[1]}")
    return _estimate(
        lambda tasks: (
            np.median(found[:, tasks].sum(axis=-1), axis=0)
            - np.median(other[:, tasks].sum(axis=-1), axis=0)
        ),
        found.shape[1],
    )


def _estimate(statistic: Statistic, tasks: int) -> Estimate:
    every = np.arange(tasks)[None, :]
    drawn = np.random.default_rng(0).integers(0, tasks, (RESAMPLES, tasks))
    low, high = np.percentile(statistic(drawn), (2.5, 97.5))
    return Estimate(float(statistic(every)[0]), float(low), float(high))


def discordant(found: Marks, other: Marks) -> tuple[int, int]:
    """Return how many tasks most seeds of the first solved and not of the second, and reversed."""
    usually, otherwise = (np.mean(each, axis=0) > 0.5 for each in (found, other))
    return int((usually & ~otherwise).sum()), int((otherwise & ~usually).sum())


def load_score(path: Path) -> RunScore | None:
    """Return a score written by save_score, or None when there is none yet."""
    if not path.is_file():
        return None
    return msgspec.json.decode(path.read_bytes(), type=RunScore)


def save_score(score: RunScore, path: Path) -> None:
    """Write a score, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_bytes(msgspec.json.encode(score))
    unfinished.replace(path)
