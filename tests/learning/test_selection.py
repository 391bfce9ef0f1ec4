"""Selection, hindsight and repairs: what becomes training data, and why the rest does not."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid, pack
from engine.learning.example import Example, Rejection
from engine.learning.hindsight import relabel
from engine.learning.repairs import accuracy_bin, select_repairs
from engine.learning.selection import score, select, vote_greedy_diverse
from engine.programs.candidate import Candidate, Failure
from engine.programs.score import judge

INPUTS = [as_grid([[n, 0], [0, n]]) for n in range(1, 5)]
OUTPUTS = [as_grid([[0, n], [n, 0]]) for n in range(1, 5)]
TASK = Task(
    "t",
    tuple(Pair(i, o) for i, o in zip(INPUTS[:3], OUTPUTS[:3], strict=True)),
    (INPUTS[3],),
    (OUTPUTS[3],),
)
WRONG = [pack(as_grid([[n, n], [n, n]])) for n in range(1, 5)]
RIGHT = [pack(grid) for grid in OUTPUTS]
FAILED = Failure("exception", "IndexError: out of range")


def candidate(number, results, *, source=None, parent=None):
    source = source or f"def transform(grid):  # {number}\n    return grid"
    evaluation = judge(TASK, source, tuple(results))
    operator = "sample" if parent is None else "refine"
    return Candidate(number, operator, 0, 0, parent, source, evaluation)


grids = st.integers(0, 9).map(lambda n: pack(as_grid([[n, 1], [2, n]])))
results = st.tuples(
    *(
        st.one_of(st.just(right), st.just(wrong), grids, st.just(FAILED))
        for right, wrong in zip(RIGHT, WRONG, strict=True)
    )
)
candidates = st.lists(results, max_size=40).map(
    lambda rows: [candidate(number, row) for number, row in enumerate(rows)]
)
strategies = st.sampled_from(["greedy-diverse", "correct-only", "uniform", "greedy"])


@given(candidates, strategies, st.integers(1, 20), st.integers(0, 5))
@settings(max_examples=150)
def test_every_candidate_is_chosen_once_or_rejected_with_a_reason(found, strategy, size, seed):
    selection = select(strategy, TASK, found, size, np.random.default_rng(seed))
    named = [e.candidate for e in selection.examples] + [r.candidate for r in selection.rejections]
    assert sorted(named) == [c.id for c in found]
    assert len(selection.examples) <= size


@given(candidates, strategies)
def test_examples_show_no_test_output_and_are_true(found, strategy):
    by_id = {c.id: c for c in found}
    for example in select(strategy, TASK, found, 50, np.random.default_rng(0)).examples:
        origin = by_id[example.candidate]
        assert example.task.truth is None
        assert example.source == origin.source
        assert [pack(pair.output) for pair in example.task.train] == list(
            origin.evaluation.results[:3]
        )
        assert (example.origin == "correct") == all(origin.evaluation.right)


@given(candidates)
def test_greedy_diverse_takes_the_best_half_and_the_worst_half(found):
    everything = select("greedy", TASK, found, 1000, np.random.default_rng(0)).examples
    chosen = select("greedy-diverse", TASK, found, 6, np.random.default_rng(0)).examples
    order = [example.candidate for example in everything]
    if len(order) <= 6:
        assert sorted(e.candidate for e in chosen) == sorted(order)
    else:
        assert [e.candidate for e in chosen] == order[:3] + order[::-1][:3]


def test_of_equal_outputs_the_shortest_program_stays():
    long = candidate(0, WRONG, source="def transform(grid):\n    return [grid for _ in grid]")
    short = candidate(1, WRONG, source="def transform(grid):\n    return 1")
    selection = select("greedy", TASK, [long, short], 10, np.random.default_rng(0))
    assert [example.candidate for example in selection.examples] == [1]
    assert selection.rejections == (Rejection(0, "duplicate outputs"),)


def test_right_tests_count_more_than_demonstrations():
    only_demonstrations = candidate(0, [*RIGHT[:3], WRONG[3]])
    all_but_one = candidate(1, [WRONG[0], *RIGHT[1:]])
    assert score(TASK, all_but_one) == pytest.approx(3.1 / 4.1)
    assert score(TASK, all_but_one) > score(TASK, only_demonstrations)
    assert score(TASK.without_truth(), only_demonstrations) == 1.0


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([FAILED, *WRONG[1:]], "no output"),
        ([*WRONG[:3], FAILED], "no output"),
        ([pack(grid) for grid in INPUTS], "identity"),
        ([WRONG[0]] * 4, "constant"),
        ([pack(as_grid([[0] * n])) for n in range(1, 5)], "blank"),
        ([*WRONG[:3], pack(as_grid([[0, 0]]))], "blank"),
    ],
)
def test_degenerate_relabels_are_rejected(results, reason):
    assert relabel(TASK, candidate(7, results)) == Rejection(7, reason)


def test_a_wrong_program_answers_the_task_of_what_it_does():
    example = relabel(TASK, candidate(3, WRONG))
    assert isinstance(example, Example)
    assert example.origin == "hindsight"
    assert [pack(pair.output) for pair in example.task.train] == WRONG[:3]
    assert example.task.test == TASK.test


def test_at_test_time_the_greedy_half_is_drawn_by_vote():
    right, other = candidate(0, RIGHT), candidate(1, [*RIGHT[:2], WRONG[2], WRONG[3]])
    noise = [
        candidate(n, [pack(as_grid([[n % 10, k, 3]])) for k in range(4)]) for n in range(2, 30)
    ]
    ranked = [
        (right.evaluation.pattern, 900.0),
        (other.evaluation.pattern, 100.0),
    ]
    chosen = Counter()
    for seed in range(20):
        selection = vote_greedy_diverse(
            TASK.without_truth(), [right, other, *noise], ranked, 4, np.random.default_rng(seed)
        )
        assert len(selection.examples) == 4
        chosen.update(e.candidate for e in selection.examples[:1])
    assert chosen[0] > 15


def test_repairs_pair_a_failing_parent_with_its_own_right_child():
    parent = candidate(0, WRONG)
    child = candidate(1, RIGHT, parent=0)
    sibling = candidate(2, WRONG, parent=0)
    chosen = select_repairs(
        TASK, [parent, child, sibling], {0: parent}, 10, np.random.default_rng(0)
    )
    assert [(e.candidate, e.parent.id, e.origin) for e in chosen] == [(1, 0, "repair")]
    assert chosen[0].task.truth is None


def test_repairs_are_balanced_over_the_parents_bins():
    parents = {
        0: candidate(0, WRONG),
        1: candidate(1, [RIGHT[0], *WRONG[1:]]),
        2: candidate(2, [*RIGHT[:2], *WRONG[2:]]),
        3: candidate(3, [*RIGHT[:3], WRONG[3]]),
    }
    assert [accuracy_bin(TASK, parents[n]) for n in range(4)] == [0, 1, 2, 3]
    assert accuracy_bin(TASK.without_truth(), parents[3]) is None
    children = [candidate(10 + n, RIGHT, parent=0) for n in range(20)]
    children += [candidate(40 + n, RIGHT, parent=n) for n in (1, 2, 3)]
    chosen = select_repairs(TASK, children, parents, 8, np.random.default_rng(0))
    assert Counter(e.parent.id for e in chosen) == {0: 5, 1: 1, 2: 1, 3: 1}


@given(candidates, st.integers(0, 3))
def test_the_same_candidates_and_seed_give_the_same_data(found, seed):
    def chosen():
        selection = select("uniform", TASK, found, 5, np.random.default_rng(seed))
        return [example.candidate for example in selection.examples]

    assert chosen() == chosen()
