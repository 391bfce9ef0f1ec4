import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from engine.arc import Grid, as_grid
from soar_tui.cli.grid_text import Cells, cells_for, draw, draw_mask, side_by_side, words

grids = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32)).map(
    lambda s: as_grid(np.random.default_rng(s[2]).integers(0, 10, s[:2]))
)
ways: st.SearchStrategy[Cells] = st.sampled_from(["half", "wide", "digits"])


def console(colours: str | None, *, no_color: bool = False) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system=colours,  # type: ignore[arg-type]  # rich names them in a Literal
        no_color=no_color,
    )


def colours_of(line: Text) -> set[str]:
    styles = [span.style for span in line.spans]
    return {
        colour.name
        for style in styles
        if not isinstance(style, str)
        for colour in (style.color, style.bgcolor)
        if colour is not None
    }


@given(grids, ways)
def test_a_picture_is_as_wide_as_it_says(grid: Grid, cells: Cells) -> None:
    picture = draw(grid, cells)
    rows, columns = grid.shape
    assert {line.cell_len for line in picture.lines} == {picture.width}
    assert picture.width == (columns if cells == "half" else 2 * columns) + 2
    assert len(picture.lines) == (-(-rows // 2) if cells == "half" else rows) + 2


@given(st.lists(grids, min_size=1, max_size=5), ways, st.integers(64, 200))
def test_pictures_beside_each_other_fit_the_terminal(
    several: list[Grid], cells: Cells, width: int
) -> None:
    lines = list(side_by_side([draw(grid, cells) for grid in several], width))
    assert max(line.cell_len for line in lines) <= width


@given(grids)
def test_digits_give_the_grid_back(grid: Grid) -> None:
    lines = [line.plain[1:-1] for line in draw(grid, "digits").lines[1:-1]]
    assert (
        as_grid([[int(cell) for cell in line.split()] for line in lines]).tolist() == grid.tolist()
    )


def test_wrong_cells_are_marked_where_they_are() -> None:
    grid = as_grid([[1, 2], [3, 4]])
    wrong = np.array([[False, True], [False, False]])
    assert draw(grid, "digits", wrong=wrong).lines[1].plain == "│1 2x│"
    assert draw(grid, "wide", wrong=wrong).lines[1].plain == "│  ><│"
    assert "#ffffff" in colours_of(draw_mask(wrong, caption="1 cell wrong").lines[1])
    assert "#ffffff" not in colours_of(draw_mask(~wrong & wrong, caption="").lines[1])


def test_every_colour_of_arc_looks_different() -> None:
    every = as_grid([list(range(10))])
    assert len(colours_of(draw(every, "half").lines[1])) == 10


@pytest.mark.parametrize(
    ("colours", "no_color", "side", "expected"),
    [
        ("truecolor", False, 5, "wide"),
        ("256", False, 20, "half"),
        ("standard", False, 5, "digits"),  # 16 colours merge red and orange
        ("truecolor", True, 5, "digits"),
        (None, False, 5, "digits"),
    ],
)
def test_the_terminal_decides_how_cells_are_drawn(
    colours: str | None, no_color: bool, side: int, expected: str
) -> None:
    grid = as_grid([[0] * side] * side)
    assert cells_for(console(colours, no_color=no_color), [grid]) == expected


def test_an_arrow_leads_from_the_first_picture() -> None:
    grid = as_grid([[0] * 3] * 3)
    lines = [line.plain for line in side_by_side([draw(grid, "wide")] * 3, 80)]
    assert sum(line.count("→") for line in lines) == 1


def test_words_stand_where_there_is_no_grid() -> None:
    lines = [line.plain for line in side_by_side([words("a long story " * 5, caption="c")], 80)]
    assert lines[0] == "c"
    assert all(len(line) <= 24 for line in lines)
