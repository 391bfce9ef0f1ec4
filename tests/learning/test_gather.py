"""What an iteration learns from: with truth, without it, and that a stripped truth cannot matter."""

from dataclasses import replace

import numpy as np
import pytest

from engine.arc import Pair, Task, as_grid, pack
from engine.config import LearnConfig, VoteConfig
from engine.learning.gather import gather
from engine.programs.candidate import Candidate
from engine.programs.score import judge

INPUTS = [as_grid([[n, 0], [0, n]]) for n in range(1, 5)]
OUTPUTS = [as_grid([[0, n], [n, 0]]) for n in range(1, 5)]
TASK = Task(
    "t",
    tuple(Pair(i, o) for i, o in zip(INPUTS[:3], OUTPUTS[:3], strict=True)),
    (INPUTS[3],),
    (OUTPUTS[3],),
)


def candidate(number, results, parent=None):
    source = f"def transform(grid):\n    return number_{number}(grid, {number})"
    evaluation = judge(TASK, source, tuple(pack(as_grid(r)) for r in results))
    return Candidate(
        number, "sample" if parent is None else "refine", 0, 0, parent, source, evaluation
    )


def pool(seed=0):
    rng = np.random.default_rng(seed)
    found = [candidate(n, rng.integers(0, 10, (4, 2, 2)).tolist()) for n in range(60)]
    found.append(candidate(60, [grid.tolist() for grid in OUTPUTS], parent=0))
    overfit = [grid.tolist() for grid in OUTPUTS[:3]] + [[[9]]]
    found.append(candidate(61, overfit))
    found.append(candidate(62, [grid.tolist() for grid in OUTPUTS], parent=61))
    return found


def data(task, learn=LearnConfig(samples=20)):  # noqa: B008 - frozen settings
    (only,) = gather([(7, task)], lambda index: pool(), learn, VoteConfig(), 3)
    assert only.task == 7
    return only


def test_training_tasks_give_repairs_also_of_what_only_the_truth_shows_wrong():
    with_truth = data(TASK)
    assert {(e.parent.id, e.candidate) for e in with_truth.repairs} == {(0, 60), (61, 62)}
    assert with_truth.make_up["correct"] >= 1
    assert len(with_truth.samples) == 20


def test_target_tasks_give_no_repairs_unless_asked():
    target = TASK.without_truth()
    assert data(target).repairs == ()
    asked = data(target, LearnConfig(samples=20, repairs_without_truth=True))
    assert {(e.parent.id, e.candidate) for e in asked.repairs} == {(0, 60)}


def test_a_repair_without_truth_is_of_what_the_vote_submits():
    target = TASK.without_truth()
    right = [grid.tolist() for grid in OUTPUTS]
    parent = candidate(0, [[[5]], [[6]], [[7]], [[8]]])
    asked = LearnConfig(samples=20, repairs_without_truth=True)
    found = [parent]
    for number, (answer, behind) in enumerate([([[1]], 5), ([[2]], 4), ([[3]], 1)]):
        found += [
            candidate(10 * (number + 1) + n, [*right[:3], answer], parent=0) for n in range(behind)
        ]
    (only,) = gather([(7, target)], lambda index: found, asked, VoteConfig(), 3)
    assert {e.candidate // 10 for e in only.repairs} == {1, 2}


@pytest.mark.parametrize("strategy", ["greedy-diverse", "uniform"])
@pytest.mark.parametrize("task", [TASK, TASK.without_truth()], ids=["training", "target"])
def test_the_best_of_a_task_are_best_whatever_the_order_of_its_samples(task, strategy):
    chosen = data(task, LearnConfig(strategy=strategy, samples=40))
    accuracy = {c.id: c.evaluation.accuracy for c in pool()}
    for origin in ("correct", "hindsight"):
        best = [accuracy[e.candidate] for e in chosen.best if e.origin == origin]
        others = sorted(
            (accuracy[e.candidate] for e in chosen.samples if e.origin == origin), reverse=True
        )
        assert best == others[:3]


def test_poisoned_truth_changes_nothing_once_it_is_stripped():
    poisoned = replace(TASK, truth=(as_grid([[5, 5, 5]]),))
    first, second = data(TASK.without_truth()), data(poisoned.without_truth())
    assert [e.candidate for e in first.samples] == [e.candidate for e in second.samples]
    assert first.rejections == second.rejections


@pytest.mark.parametrize("strategy", ["greedy-diverse", "correct-only", "uniform", "greedy"])
def test_the_same_seed_gives_the_same_data(strategy):
    learn = LearnConfig(strategy=strategy, samples=10)
    first, second = data(TASK, learn), data(TASK, learn)
    assert [e.candidate for e in first.samples] == [e.candidate for e in second.samples]
    assert [e.candidate for e in first.repairs] == [e.candidate for e in second.repairs]
