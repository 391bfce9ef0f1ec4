"""Hypothesis strategies for grids and tasks."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.arc import Pair, Task, as_grid


def grids(most=30, colours=10):
    shapes = st.tuples(st.integers(1, most), st.integers(1, most))
    return arrays(np.uint8, shapes, elements=st.integers(0, colours - 1)).map(as_grid)


@st.composite
def tasks(draw, most=8, known=None):
    """Tasks of 1-4 demonstrations and 1-3 tests; `known` says whether truth is there."""
    train = draw(st.lists(st.builds(Pair, grids(most), grids(most)), min_size=1, max_size=4))
    test = draw(st.lists(grids(most), min_size=1, max_size=3))
    truth = None
    if draw(st.booleans()) if known is None else known:
        # Two by two zeros are Kaggle's sign for an output that is not known.
        output = grids(most).filter(lambda grid: grid.tolist() != [[0, 0], [0, 0]])
        truth = tuple(draw(output) for _ in test)
    return Task("drawn", tuple(train), tuple(test), truth)
