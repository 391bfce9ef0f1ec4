"""What a grid is: every way not to be one, and its packed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arc import GridError, as_grid, pack, unpack
from tests.arc.drawn import grids


@given(grids())
def test_packing_loses_nothing(grid):
    assert np.array_equal(unpack(pack(grid)), grid)


@given(grids(4, 2), grids(4, 2))
def test_packed_grids_are_equal_exactly_when_grids_are(one, other):
    assert (pack(one) == pack(other)) == np.array_equal(one, other)


@given(grids(), st.sampled_from([np.int8, np.int64, np.uint16]))
def test_every_form_of_the_same_rows_is_the_same_grid(grid, dtype):
    forms = [grid.tolist(), tuple(map(tuple, grid.tolist())), grid.astype(dtype), list(grid)]
    assert {pack(as_grid(form)) for form in forms} == {pack(grid)}


@given(grids())
def test_a_grid_cannot_be_written_to(grid):
    for fixed in (as_grid(grid.tolist()), unpack(pack(grid))):
        with pytest.raises(ValueError, match="read-only"):
            fixed[0, 0] = 1


def test_a_grid_does_not_follow_the_array_it_came_from():
    array = np.zeros((2, 2), np.uint8)
    grid = as_grid(array)
    array[0, 0] = 5
    assert grid[0, 0] == 0


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (None, "a grid is a list of rows, not NoneType"),
        ("12", "a grid is a list of rows, not str"),
        ({}, "a grid is a list of rows, not dict"),
        ([], "a grid has 1 to 30 rows, not 0"),
        ([[0]] * 31, "a grid has 1 to 30 rows, not 31"),
        ([[]], "a grid has 1 to 30 columns, not 0"),
        ([[0] * 31], "a grid has 1 to 30 columns, not 31"),
        ([[0], 1], "row 2 is int, not a list of cells"),
        ([[0], "1"], "row 2 is str, not a list of cells"),
        ([[0, 1], [0]], "row 2 has 1 cells where row 1 has 2"),
        ([[0, True]], "row 1, column 2 is bool, not an int"),
        ([[np.True_]], "row 1, column 1 is bool, not an int"),
        ([[1.0]], "row 1, column 1 is float, not an int"),
        ([["1"]], "row 1, column 1 is str, not an int"),
        ([[None]], "row 1, column 1 is NoneType, not an int"),
        ([[10]], "row 1, column 1 is 10, not 0 to 9"),
        ([[0], [-1]], "row 2, column 1 is -1, not 0 to 9"),
        ([[10**30]], f"row 1, column 1 is {10**30}, not 0 to 9"),
        (np.zeros(3, int), "a grid has 2 dimensions, not 1"),
        (np.zeros((1, 1, 1), int), "a grid has 2 dimensions, not 3"),
        (np.zeros((2, 2)), "a grid holds ints, not float64"),
        (np.zeros((2, 2), bool), "a grid holds ints, not bool"),
        (np.zeros((0, 2), int), "a grid has 1 to 30 rows and columns, not 0 by 2"),
        (np.zeros((2, 31), int), "a grid has 1 to 30 rows and columns, not 2 by 31"),
        (np.full((2, 2), 300), "a grid's cells are 0 to 9"),
        (np.full((2, 2), -1), "a grid's cells are 0 to 9"),
    ],
)
def test_what_is_not_a_grid_is_refused_by_the_rule_it_breaks(value, rule):
    with pytest.raises(GridError) as refused:
        as_grid(value)
    assert str(refused.value).replace("bool_", "bool") == rule


@given(st.binary(max_size=40))
def test_bytes_that_are_no_packed_grid_are_refused(packed):
    try:
        grid = unpack(packed)
    except GridError:
        return
    assert pack(grid) == packed
    assert int(grid.max()) <= 9
