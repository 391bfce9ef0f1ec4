"""A list of rows in columns: values in, lines out, a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual.strip import Strip

from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.palette import Role
from soar_tui.widgets.strips import Part, fit, left, right

_GAP = 2
_LEAST = 8
"""Cells that a text column keeps when there is no room."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `drop` says how early it goes when there is no room (0: never)."""

    title: str
    align: Literal["left", "right"] = "left"
    drop: int = 0
    most: int = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `key` names what it stands for; a cell is a text (sanitised) and its colour."""

    key: object
    cells: tuple[tuple[str, Role], ...]


class Rows(LineList):
    """Shows rows under their columns' titles; columns are as wide as what they hold."""

    header = 1

    def __init__(
        self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows: tuple[Row, ...] = ()
        self._widths = (0,) * len(self._columns)

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; the cursor stays on the row of its key."""
        held = self.selected
        self._rows = tuple(rows)
        self._measure()
        self.set_extent(len(self._rows))
        cursor = self.cursor
        if held is not None:
            keys = [row.key for row in self._rows]
            cursor = keys.index(held.key) if held.key in keys else cursor
        self.set_reactive(LineList.cursor, self.validate_cursor(cursor))
        if self.is_mounted:
            self.redraw()

    def select(self, key: object) -> None:
        """Put the cursor on the row of a key, if there is one."""
        for line, row in enumerate(self._rows):
            if row.key == key:
                self.cursor = line
                return

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def fit_to_size(self) -> None:
        self._measure()

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw the titles."""
        titles: list[tuple[str, Role]] = [(column.title, "muted") for column in self._columns]
        return self._draw(titles, width)

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one row."""
        return self._draw(self._rows[y].cells, width)

    def _draw(self, cells: Sequence[tuple[str, Role]], width: int) -> Strip:
        parts: list[Part] = []
        gap = 0
        for column, (text, role), cells_wide in zip(
            self._columns, cells, self._widths, strict=True
        ):
            if cells_wide:
                place = left if column.align == "left" else right
                parts.append((" " * gap + place(text, cells_wide), self.palette.ink(role)))
                gap = _GAP
        return fit(parts, width)

    def _measure(self) -> None:
        """Give each column the width of its widest cell; drop and narrow columns until they fit."""
        widths = []
        for place, column in enumerate(self._columns):
            held = [cell_len(row.cells[place][0]) for row in self._rows]
            widths.append(min(column.most, max([cell_len(column.title), *held])) + _GAP)
        by_drop = sorted(
            (place for place, column in enumerate(self._columns) if column.drop),
            key=lambda place: -self._columns[place].drop,
        )
        for place in by_drop:
            if sum(widths) - _GAP <= self.area.width or not self.area.width:
                break
            widths[place] = 0
        texts = [place for place, column in enumerate(self._columns) if column.align == "left"]
        for _ in range(max(0, sum(widths) - _GAP - self.area.width) if self.area.width else 0):
            widest = max(texts, key=lambda place: widths[place], default=None)
            if widest is None or widths[widest] <= _LEAST + _GAP:
                break
            widths[widest] -= 1
        self._widths = tuple(max(0, width - _GAP) for width in widths)
