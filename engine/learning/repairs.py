"""Choosing (failing parent → right child) pairs as refinement examples (SOAR §3.2, §7)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np

from engine.arc import Task
from engine.learning.example import Example
from engine.programs.candidate import Candidate
from engine.programs.score import right_tests

BINS = ("none right", "up to 34 %", "up to 98 %", "right, test wrong")
"""The parent's accuracy bins: 0 · (0, 34 %] · (34 %, 98 %) · all demonstrations, test wrong."""


def accuracy_bin(task: Task, parent: Candidate) -> int | None:
    """Return the index in BINS of a parent, or None when it leaves nothing to repair.

    A parent right on every demonstration is failing only where the truth shows a wrong test.
    """
    evaluation = parent.evaluation
    if evaluation is None:
        return None
    if all(evaluation.right):
        tests = right_tests(task, evaluation)
        return None if tests is None or all(tests) else 3
    if evaluation.accuracy == 0:
        return 0
    return 1 if evaluation.accuracy <= 0.34 else 2


def select_repairs(
    task: Task,
    candidates: Sequence[Candidate],
    parents: Mapping[int, Candidate],
    size: int,
    rng: np.random.Generator,
    *,
    submitted: Container[bytes | None] | None = None,
) -> tuple[Example, ...]:
    """Choose at most `size` repairs of one task, balanced over the parent's accuracy bins.

    A repair is a refined candidate that is right on all demonstrations (and on the tests where
    the truth is known; else of a pattern that is `submitted`) while its parent is not; prompt and answer of an example are always of the
    same pair, and no pair of programs is taken twice. `parents` maps candidate ids to candidates.
    """
    bins: list[list[Example]] = [[] for _ in BINS]
    seen: set[tuple[str | None, str]] = set()
    for child in sorted(candidates, key=lambda c: (len(c.source or ""), c.id)):
        parent = None if child.parent is None else parents.get(child.parent)
        if parent is None or child.source is None or not _right(task, child, submitted):
            continue
        place = accuracy_bin(task, parent)
        if place is None or (parent.source, child.source) in seen:
            continue
        seen.add((parent.source, child.source))
        bins[place].append(Example("repair", task.without_truth(), child.source, child.id, parent))
    for entries in bins:
        rng.shuffle(entries)
    return tuple(_round_robin(bins, size))


def _right(task: Task, candidate: Candidate, submitted: Container[bytes | None] | None) -> bool:
    evaluation = candidate.evaluation
    if evaluation is None or not evaluation.perfect:
        return False
    tests = right_tests(task, evaluation)
    if tests is None:
        return submitted is None or evaluation.pattern in submitted
    return all(tests)


def _round_robin(bins: Sequence[Sequence[Example]], size: int) -> list[Example]:
    """Take one of each bin in turn, so that a scarce bin is not drowned by a full one."""
    chosen: list[Example] = []
    depth = 0
    while len(chosen) < size and any(depth < len(entries) for entries in bins):
        for entries in bins:
            if depth < len(entries) and len(chosen) < size:
                chosen.append(entries[depth])
        depth += 1
    return chosen
