"""One ARC grid, as large as there is room for."""

from __future__ import annotations

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from engine.arc.grid import Grid
from soar_tui.widgets.grid_picture import (
    Cells,
    draw_grid,
    fitting,
    picture_size,
    wrong_cells,
)
from soar_tui.widgets.line_view import LineView


class GridView(LineView, can_focus=False):
    """Shows a grid, cells wrong against an expected grid marked; scrolls what does not fit.

    `digits` writes each cell's number into it: None leaves that to the theme and the terminal.
    """

    DEFAULT_CSS = """
    GridView { scrollbar-gutter: auto; }
    """

    digits: reactive[bool | None] = reactive(None, init=False)

    def __init__(
        self, grid: Grid | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._grid = grid
        self._expected: Grid | None = None
        self._strips: list[Strip] = []

    def show(self, grid: Grid | None, expected: Grid | None = None) -> None:
        """Show a grid (None: nothing), its cells compared with an expected grid if there is one."""
        self._grid, self._expected = grid, expected
        self._draw()

    @property
    def cells(self) -> Cells:
        """How cells are drawn at the present size."""
        if self._grid is None:
            return "half"
        return self._cells_in(self.size)

    def fit_to_size(self) -> None:
        self._draw()

    def forget_drawn(self) -> None:
        super().forget_drawn()
        self._draw()

    def watch_digits(self) -> None:
        """Draw anew."""
        self._draw()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the width of the largest cells that fit the container."""
        if self._grid is None:
            return 0
        return picture_size(self._grid.shape, self._cells_in(container))[0]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the height of the largest cells that fit the container."""
        if self._grid is None:
            return 0
        return picture_size(self._grid.shape, self._cells_in(container))[1]

    def draw_line(self, y: int, width: int) -> Strip:
        """Return a line of the picture."""
        return self._strips[y]

    @property
    def _digits(self) -> bool:
        return self.palette.digits if self.digits is None else self.digits

    def _cells_in(self, size: Size) -> Cells:
        assert self._grid is not None
        return fitting([self._grid.shape], size.width, size.height, digits=self._digits)

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        grid = self._grid
        if grid is None:
            self._strips = []
            self.set_extent(0)
        else:
            wrong = None if self._expected is None else wrong_cells(grid, self._expected)
            self._strips = draw_grid(
                grid, self.cells, self.palette, digits=self._digits, wrong=wrong
            )
            self.set_extent(len(self._strips), self._strips[0].cell_length)
        self.redraw()
