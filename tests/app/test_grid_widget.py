import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.arc.grid import as_grid
from soar_tui.widgets.grid import GridView
from soar_tui.widgets.grid_picture import (
    SIZES,
    draw_codes,
    draw_grid,
    fitting,
    picture_size,
    thumbnail,
    wrong_cells,
)
from soar_tui.widgets.palette import ABSENT
from tests.app.palettes import DARK
from tests.app.screen import Stage, screen_lines
from tests.app.stage import resized
from tests.arc.drawn import grids

CELLS = list(SIZES)


@given(grids(), st.sampled_from(CELLS), st.booleans())
def test_every_line_is_as_wide_as_the_picture(grid, cells, digits):
    strips = draw_grid(grid, cells, DARK, digits=digits)
    width, height = picture_size(grid.shape, cells)
    assert len(strips) == height
    assert all(sum(len(segment.text) for segment in strip) == width for strip in strips)


@given(grids(most=12))
def test_digits_spell_the_grid(grid):
    strips = draw_grid(grid, "single", DARK, digits=True)
    assert [list(map(int, strip.text)) for strip in strips] == grid.tolist()


@given(grids())
def test_half_cells_carry_both_rows_colours(grid):
    rows, columns = grid.shape
    for y, strip in enumerate(draw_grid(grid, "half", DARK)):
        cells = [(segment.text[0], segment.style) for segment in strip for _ in segment.text]
        assert len(cells) == columns
        for x, (text, style) in enumerate(cells):
            upper = DARK.arc[grid[2 * y, x]].rich_color
            last = 2 * y + 1 == rows
            lower = (DARK.surface if last else DARK.arc[grid[2 * y + 1, x]]).rich_color
            assert style.bgcolor == lower
            assert (style.color if text == "▀" else style.bgcolor) == upper


@given(grids(), grids())
def test_wrong_cells_are_those_that_differ_or_lie_outside(produced, expected):
    wrong = wrong_cells(produced, expected)
    for (y, x), cell in np.ndenumerate(produced):
        inside = y < expected.shape[0] and x < expected.shape[1]
        assert wrong[y, x] == (not inside or expected[y, x] != cell)


@given(st.lists(grids(), min_size=1, max_size=3), st.integers(1, 130), st.integers(1, 70))
def test_the_chosen_cells_fit_or_are_the_smallest(some, width, height):
    shapes = [grid.shape for grid in some]
    cells = fitting(shapes, width, height)
    fits = {
        size: all(
            w <= width and h <= height for w, h in (picture_size(shape, size) for shape in shapes)
        )
        for size in ("big", "wide", "half")
    }
    assert cells == next((size for size, fit in fits.items() if fit), "half")


@given(grids(), st.integers(1, 12), st.integers(1, 8))
def test_a_thumbnail_shows_only_the_grids_colours_and_its_rarest_one(grid, width, height):
    codes = thumbnail(grid, width, height)
    assert codes.shape == (2 * height, width)
    shown = set(codes.ravel().tolist()) - {ABSENT}
    assert shown <= set(grid.ravel().tolist())
    counts = np.bincount(grid.ravel(), minlength=10)
    rarest = [c for c in range(10) if counts[c] == min(counts[counts > 0])]
    assert shown & set(rarest)
    assert len(draw_codes(codes, DARK)) == height


def test_one_wrong_cell_is_crossed_out_at_every_size():
    expected = as_grid([[1, 2], [3, 4]])
    produced = as_grid([[1, 2], [3, 5]])
    wrong = wrong_cells(produced, expected)
    assert [s.text for s in draw_grid(produced, "wide", DARK, wrong=wrong)] == ["    ", "  ><"]
    assert [s.text for s in draw_grid(produced, "wide", DARK, wrong=wrong, digits=True)] == [
        "1 2 ",
        "3 5×",
    ]
    big = [s.text for s in draw_grid(produced, "big", DARK, wrong=wrong)]
    assert big[2:] == ["     ╲╱ ", "     ╱╲ "]
    half = draw_grid(produced, "half", DARK, wrong=wrong)
    assert half[0].text == " ▀"
    assert list(half[0])[1].style.bgcolor == DARK.arc[5].rich_color


async def test_a_grid_grows_with_its_room_and_scrolls_when_there_is_none():
    grid = as_grid(np.arange(100).reshape(10, 10) % 10)
    view = GridView(grid)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        assert view.cells == "big"
        await resized(app, pilot, 30, 12)
        assert view.cells == "wide"
        await resized(app, pilot, 12, 6)
        assert view.cells == "half"
        view.digits = True
        await pilot.pause()
        assert view.cells == "single"
        assert screen_lines(app)[0].startswith("0123456789")
        assert view.max_scroll_y > 0


async def test_only_changed_cells_are_sent_and_nothing_for_an_equal_grid():
    rng = np.random.default_rng(1)
    grid = as_grid(rng.integers(0, 10, (30, 30)))
    changed = grid.copy()
    changed[4, 4] = (changed[4, 4] + 1) % 10
    changed[25, 20] = (changed[25, 20] + 1) % 10
    view = GridView(grid)
    app = Stage(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.sent_bytes()
        view.show(as_grid(grid.copy()))
        await pilot.pause()
        assert app.sent_bytes() == 0
        view.show(as_grid(changed))
        await pilot.pause()
        some = app.sent_bytes()
        view.repaint()
        await pilot.pause()
        assert 0 < some < app.sent_bytes() / 10


async def test_digits_appear_where_colours_cannot_tell():
    grid = as_grid([[2, 7], [1, 9]])
    for keywords in ({"colours": "none"}, {"colours": "standard"}, {"theme": "mono"}):
        app = Stage(GridView(grid), **keywords)
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.pause()
            assert " ".join(screen_lines(app)).split() == ["2", "7", "1", "9"], keywords


async def test_the_view_follows_the_theme():
    view = GridView(as_grid([[2]]))
    app = Stage(view)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        before = next(iter(view.render_line(0))).style.bgcolor
        app.theme = "colour-blind"
        await pilot.pause()
        after = next(iter(view.render_line(0))).style.bgcolor
        assert before.triplet.hex == "#f93c31"
        assert after.triplet.hex == "#d55e00"
