"""Proposals without processes: the same in any order and process, valid, and getting better."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from engine.arc import Task
from engine.policies.grammar.proposing import Proposer
from engine.policies.grammar.source import parse
from tests.policies.grammar.tasks import SYMMETRY, TASKS, TILE
from tests.policies.grammar.test_source import run_bare


def accuracy(task: Task, source: str) -> float:
    right = [run_bare(source, p.input.astype(np.int64)) == p.output.tolist() for p in task.train]
    return sum(right) / len(right)


def test_the_memory_of_earlier_calls_changes_nothing() -> None:
    fresh = [Proposer().sample(task, 8, 3) for task in TASKS]
    shared = Proposer()
    for task in TASKS:
        shared.sample(task, 40, 9)
    parent = next(p.source for p in fresh[0] if p.source)
    shared.refine(TASKS[0], parent, 10, 2)
    assert [shared.sample(task, 8, 3) for task in reversed(TASKS)] == fresh[::-1]
    assert shared.refine(TASKS[0], parent, 6, 4) == Proposer().refine(TASKS[0], parent, 6, 4)


def test_a_wave_starts_alike_whatever_its_size() -> None:
    assert Proposer().sample(TILE, 12, 5)[:4] == Proposer().sample(TILE, 4, 5)


def test_the_name_of_a_task_makes_no_difference() -> None:
    renamed = Task("another", SYMMETRY.train, SYMMETRY.test)
    assert Proposer().sample(renamed, 10, 1) == Proposer().sample(SYMMETRY, 10, 1)


def test_hash_seeds_make_no_difference() -> None:
    script = textwrap.dedent(
        """
        from engine.policies.grammar.proposing import Proposer
        from tests.policies.grammar.tasks import TASKS

        for task in TASKS:
            proposer = Proposer()
            proposals = proposer.sample(task, 12, 1)
            parent = next(p.source for p in proposals if p.source)
            for each in proposals + proposer.refine(task, parent, 10, 2):
                print(each)
        """
    )
    outputs = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_simple_rules_are_found_and_their_programs_weighed(task: Task) -> None:
    proposals = Proposer().sample(task, 150, 0)
    assert sum(p.source is None for p in proposals) <= 3
    perfect = [p for p in proposals if p.source and accuracy(task, p.source) == 1]
    assert perfect
    for proposal in proposals:
        assert (proposal.prior is not None) == (proposal in perfect)
    best = max(perfect, key=lambda p: p.prior or -99)
    assert len(parse(best.source or "") or ()) == 1


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_refinements_are_programs_of_the_grammar_and_sometimes_better(task: Task) -> None:
    proposer = Proposer()
    failing = [
        p.source for p in proposer.sample(task, 60, 4) if p.source and accuracy(task, p.source) < 1
    ]
    gains = []
    for number, parent in enumerate(failing[:12]):
        before = accuracy(task, parent)
        for child in proposer.refine(task, parent, 6, number):
            assert child.source is not None
            steps = parse(child.source)
            assert steps is not None
            assert 1 <= len(steps) <= 5
            gains.append(accuracy(task, child.source) - before)
    assert max(gains) > 0


def test_a_foreign_parent_is_answered_by_sampling_anew() -> None:
    foreign = "def transform(grid):\n    return [row[::-1] for row in grid]\n"
    assert Proposer().refine(TILE, foreign, 5, 8) == Proposer().sample(TILE, 5, 8)


def test_a_parent_that_fails_on_this_task_is_answered_by_sampling_anew() -> None:
    tiled = next(p.source for p in Proposer().sample(TILE, 80, 0) if p.prior is not None)
    small = Task("small", TILE.train[:1], (np.zeros((30, 30), dtype=np.uint8),))
    assert Proposer().refine(small, tiled, 5, 8) == Proposer().sample(small, 5, 8)
