"""Judging results: right bits, the filter, the tests' truth kept apart."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid, pack
from engine.programs.candidate import Failure
from engine.programs.score import judge, right_tests
from tests.arc.drawn import grids, tasks

PLAIN = "def transform(grid):\n    return grid\n"
FAILED = Failure("exception", "KeyError: 3")


@given(tasks(4, known=True), st.data())
def test_right_bits_say_which_grids_are_reproduced(task, data):
    expected = [pair.output for pair in task.train] + list(task.truth)
    results = tuple(
        data.draw(st.sampled_from([pack(output), FAILED]) | grids(4).map(pack))
        for output in expected
    )
    evaluation = judge(task, PLAIN, results)
    right = tuple(
        not isinstance(result, Failure) and result == pack(output)
        for result, output in zip(results, expected, strict=True)
    )
    pairs = len(task.train)
    assert evaluation.results == results
    assert evaluation.right == right[:pairs]
    assert evaluation.accuracy == sum(right[:pairs]) / pairs
    assert right_tests(task, evaluation) == right[pairs:]
    assert right_tests(task.without_truth(), evaluation) is None


class Sealed(Task):
    """A task whose truth must not be looked at."""

    def __getattribute__(self, name):
        assert name != "truth", "the truth was read"
        return super().__getattribute__(name)


def test_judging_never_reads_the_truth():
    grid = as_grid([[1, 2]])
    task = Sealed("t", (Pair(grid, as_grid([[2, 1]])),), (grid,), (grid,))
    for results in ((pack(grid), pack(grid)), (FAILED, FAILED), (pack(as_grid([[2, 1]])),) * 2):
        judge(task, PLAIN, results)


def test_a_grid_of_the_same_cells_in_another_shape_is_wrong():
    wide, tall = as_grid([[1, 1]]), as_grid([[1], [1]])
    task = Task("t", (Pair(as_grid([[5]]), wide),), (wide,))
    assert judge(task, PLAIN, (pack(tall), pack(tall))).right == (False,)


def test_the_filter_comes_with_the_evaluation():
    grid = as_grid(np.eye(3, dtype=int))
    task = Task("t", (Pair(grid, as_grid([[1]])),), (grid,))
    assert judge(task, PLAIN, (pack(as_grid([[1]])), pack(grid))).perfect
    assert judge(task, PLAIN, (pack(grid), pack(grid))).filter == "identity"
    filtered = judge(task, PLAIN, (pack(as_grid([[1]])), FAILED))
    assert (filtered.filter, filtered.right, filtered.perfect) == ("invalid", (True,), False)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_results_must_be_one_per_input(count):
    grid = as_grid([[1]])
    task = Task("t", (Pair(grid, grid),), (grid,))
    with pytest.raises(ValueError, match=f"task t: {count} results for 2 inputs"):
        judge(task, PLAIN, (pack(grid),) * count)
    assert replace(task, truth=(grid,)).truth is not None
