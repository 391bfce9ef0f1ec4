"""Gathering an iteration's training data from the archive, one task at a time (SOAR §7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.arc import Task
from engine.config import LearnConfig, VoteConfig
from engine.learning.embedding import Embed, embed
from engine.learning.example import Example, Rejection
from engine.learning.repairs import select_repairs
from engine.learning.selection import best_of_each_origin, select, vote_greedy_diverse
from engine.programs.candidate import Candidate
from engine.search.invariants import invariants_of
from engine.search.vote import SUBMISSIONS, Tallies, rank

_BEST = 3
"""The best of a task and an origin that are kept to be shown."""

Candidates = Callable[[int], Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class TaskData:
    """What one task (by index in the run) gives to learn from, and what was left out and why.

    `best` are the few best samples of each origin, best first: what is worth showing.
    """

    task: int
    samples: tuple[Example, ...]
    repairs: tuple[Example, ...]
    rejections: tuple[Rejection, ...]
    best: tuple[Example, ...]

    @property
    def make_up(self) -> Counter[str]:
        """How many examples there are of each origin."""
        return Counter(example.origin for example in self.samples + self.repairs)


def gather(
    tasks: Sequence[tuple[int, Task]],
    candidates: Candidates,
    learn: LearnConfig,
    vote: VoteConfig,
    seed: int,
    *,
    embedding: Embed = embed,
) -> Iterator[TaskData]:
    """Yield each task's examples; `candidates(index)` are those pooled for it.

    A task with truth is chosen from as at train time: right tests count and failing ones are
    repairs to learn from. A task without is chosen from by vote, and gives repairs only where
    `learn.repairs_without_truth` says so; what the vote submits then stands for the truth. The
    caller strips the truth of every task that is not a training task. The same seed gives the same
    data. `embedding` tells near-duplicates.
    """
    for index, task in tasks:
        pooled = candidates(index)
        rng = np.random.default_rng([seed, index])
        ranked = [] if task.truth is not None else _ranked(task, pooled, vote)
        if task.truth is not None or learn.strategy != "greedy-diverse":
            selection = select(
                learn.strategy, task, pooled, learn.samples, rng, embedding=embedding
            )
        else:
            selection = vote_greedy_diverse(
                task, pooled, ranked, learn.samples, rng, embedding=embedding
            )
        repairs: tuple[Example, ...] = ()
        if task.truth is not None or learn.repairs_without_truth:
            parents = {candidate.id: candidate for candidate in pooled}
            submitted = None if task.truth is not None else {p for p, _ in ranked[:SUBMISSIONS]}
            repairs = select_repairs(task, pooled, parents, learn.repairs, rng, submitted=submitted)
        best = best_of_each_origin(task, pooled, selection.examples, _BEST)
        yield TaskData(index, selection.examples, repairs, selection.rejections, best)


def _ranked(
    task: Task, candidates: Sequence[Candidate], vote: VoteConfig
) -> list[tuple[bytes, float]]:
    """Return the patterns of candidates with their weights, heaviest first."""
    tallies = Tallies()
    for candidate in candidates:
        tallies.add(candidate)
    ranked = rank(tallies.all(), vote.formula, vote.c, invariants_of(task))
    return [(tally.pattern, weight) for tally, weight in ranked]
