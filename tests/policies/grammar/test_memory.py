"""What the language remembers of grids: never more than there is room for, never another's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.policies.grammar import language
from engine.policies.grammar.language import remember


def counted(function: Callable[[np.ndarray], Any]) -> tuple[Callable[..., Any], list[int]]:
    calls: list[int] = []

    def called(grid: np.ndarray) -> Any:
        calls.append(1)
        return function(grid)

    return remember(called), calls


def fixed(*rows: list[int]) -> np.ndarray:
    grid = np.array(rows)
    grid.setflags(write=False)
    return grid


def test_equal_grids_share_a_result_and_a_changed_grid_gets_its_own() -> None:
    total, calls = counted(lambda grid: int(grid.sum()))
    grid = np.array([[7, 1], [1, 3]])
    assert [total(grid), total(grid.copy()), total(fixed([7, 1], [1, 3]))] == [12, 12, 12]
    assert len(calls) == 1
    grid[0, 0] = 9
    assert total(grid) == 14


def test_a_view_is_not_taken_for_a_grid_that_nobody_can_change() -> None:
    total, _ = counted(lambda grid: int(grid.sum()))
    grid = np.array([[5, 6], [7, 8]])
    view = grid[:1]
    view.setflags(write=False)
    assert total(view) == 11
    grid[0, 0] = 0
    assert total(view) == 6


def test_a_refusal_is_remembered_with_its_text() -> None:
    def refused(grid: np.ndarray) -> int:
        raise ValueError(f"no {grid.shape[0]} rows")

    function, calls = counted(refused)
    for _ in range(3):
        with pytest.raises(ValueError, match=r"^no 2 rows$"):
            function(fixed([1, 2], [3, 4]))
    assert len(calls) == 1


def test_other_errors_are_raised_as_they_are() -> None:
    def refused(grid: np.ndarray) -> int:
        return int(np.empty(0)[grid.shape[0]])

    function, _ = counted(refused)
    for _ in range(2):
        with pytest.raises(IndexError):
            function(fixed([1, 2]))


def test_what_was_not_asked_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_MEMORY_CELLS", 1_000)
    twice, calls = counted(lambda grid: 2 * grid)
    often, once = fixed([1, 1, 2]), fixed([9, 8, 7])
    twice(once)
    for number in range(100):
        assert twice(often).tolist() == [[2, 2, 4]]
        assert twice(fixed([number, number, 5])).tolist() == [[2 * number, 2 * number, 10]]
    assert len(calls) == 102  # the grid in use was kept all along
    assert twice(once).tolist() == [[18, 16, 14]]
    assert len(calls) == 103
