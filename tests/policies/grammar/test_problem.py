"""What remains to be done: features over all demonstration cells, alone and all at once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import Pair, Task, as_grid
from engine.policies.grammar.language import FEATURES
from engine.policies.grammar.problem import problem_of

grids = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 9), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(as_grid)
)
tasks = st.lists(grids, min_size=1, max_size=3).map(
    lambda given: Task("t", tuple(Pair(each, each) for each in given), (given[0],))
)


@given(tasks)
def test_features_worked_out_together_are_as_each_alone(task):
    alone, together = problem_of(task), problem_of(task)
    applying, sizes, indices = together.stacked
    assert applying == tuple(each for each in FEATURES.values() if alone.feature(each))
    for feature, size, index in zip(applying, sizes, indices, strict=True):
        distinct, places = alone.feature(feature)
        assert size == len(distinct)
        assert np.array_equal(index, places)
        assert np.array_equal(together.feature(feature)[0], distinct)


@given(tasks)
def test_a_feature_s_values_and_places_give_back_its_cells(task):
    problem = problem_of(task)
    for feature in problem.stacked[0]:
        distinct, places = problem.feature(feature)
        cells = np.concatenate([feature(grid).ravel() for grid in problem.demos])
        assert np.array_equal(distinct[places], cells)
        assert np.array_equal(distinct, np.unique(cells))
