"""A refinement chain as a tree: from the sampled root down to every descendant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.strip import Strip

from engine.programs.candidate import Operator
from soar_tui.sanitise import one_line
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.strips import Part, fit, right

_FIGURES = 12
_GUIDE = 3
"""Cells per generation."""
_NAME = 14
"""Cells that number and operator take at most."""


@dataclass(frozen=True, slots=True)
class ChainNode:
    """One candidate of a chain: `right` of `pairs` demonstrations; `note` says what else it is.

    `id` and `parent` are candidate ids (parent None: the sampled root), `number` is the
    candidate's within its task. `note` is a filter's name, an error, or empty.
    """

    id: int
    parent: int | None
    number: int
    operator: Operator
    right: int
    pairs: int
    note: str = ""

    @property
    def fits(self) -> bool:
        """Whether it is right on every demonstration."""
        return self.right == self.pairs


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One line of the tree: the node, its guides ("├─ ") and its parent node, if there is one."""

    node: ChainNode
    guides: str
    parent: ChainNode | None


def tree_lines(nodes: Iterable[ChainNode]) -> list[TreeLine]:
    """Order nodes depth first, older siblings first; a node without a known parent is a root."""
    by_id = {node.id: node for node in nodes}
    children: dict[int | None, list[ChainNode]] = {}
    for node in by_id.values():
        known = node.parent if node.parent in by_id and node.parent != node.id else None
        children.setdefault(known, []).append(node)
    lines: list[TreeLine] = []
    # A chain can be thousands long, more than Python would recurse.
    waiting = [(node, "", "") for node in sorted(children.get(None, []), key=_age, reverse=True)]
    while waiting:
        node, guides, below = waiting.pop()
        parent = by_id.get(node.parent) if node.parent is not None else None
        lines.append(TreeLine(node, guides, parent))
        under = sorted(children.get(node.id, []), key=_age)
        for place, child in reversed(list(enumerate(under))):
            last = place == len(under) - 1
            waiting.append(
                (child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
            )
    return lines


class ChainTree(LineList):
    """Draws the tree; the line of descent of the chosen candidate is brighter than the rest."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[TreeLine] = []
        self._descent: frozenset[int] = frozenset()

    def show(self, nodes: Iterable[ChainNode], chosen: int) -> None:
        """Show a chain with the cursor on the candidate of id `chosen`."""
        self._lines = tree_lines(nodes)
        self._descent = frozenset(descent(self._lines, chosen))
        self.set_extent(len(self._lines))
        place = next((y for y, line in enumerate(self._lines) if line.node.id == chosen), 0)
        self.set_reactive(LineList.cursor, self.validate_cursor(place))
        if self.is_mounted:
            self.show_line(self.cursor)
            self.redraw()

    @property
    def selected(self) -> ChainNode | None:
        """The candidate under the cursor."""
        return self._lines[self.cursor].node if self.cursor < len(self._lines) else None

    def fit_to_size(self) -> None:
        self.show_line(self.cursor)

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one candidate under its guides."""
        return draw_node(
            self._lines[y], width, self.palette, bright=self._lines[y].node.id in self._descent
        )


def descent(lines: Iterable[TreeLine], chosen: int) -> list[int]:
    """Return the ids from the root down to a candidate; empty when it is not there."""
    parents = {line.node.id: line.node.parent for line in lines}
    path: list[int] = []
    place: int | None = chosen
    while place in parents and place not in path:
        path.append(place)
        place = parents[place]
    return path[::-1]


def draw_node(line: TreeLine, width: int, palette: Palette, *, bright: bool) -> Strip:
    """Draw a line of the tree: guides, number, accuracy, its change from the parent, the note.

    Of guides for which there is no room the youngest are kept, after how many generations are not.
    """
    node = line.node
    room = max(0, width - _FIGURES)
    most = max(2, (room - _NAME) // _GUIDE)
    cut = len(line.guides) // _GUIDE - most
    guides = line.guides if cut <= 0 else f"…{cut + 1:<2}" + line.guides[(cut + 1) * _GUIDE :]
    role: Role = "good" if node.fits else "text" if bright else "muted"
    figures = f"{node.right}/{node.pairs}"
    parts: list[Part] = [
        (guides, palette.ink("muted" if bright else "faint")),
        (f"#{node.number}", palette.ink(role, bold=bright)),
        (f" {node.operator}", palette.ink("muted")),
    ]
    change = change_parts(node, line.parent, palette)
    tail: list[Part] = [(right(figures, 6), palette.ink(role, bold=bright)), *change]
    if node.note:
        parts.append((f"  {one_line(node.note)}", palette.ink("warn")))
    return Strip.join([fit(parts, room), fit(tail, min(width, _FIGURES))])


def change_parts(node: ChainNode, parent: ChainNode | None, palette: Palette) -> list[Part]:
    """Say how many demonstrations a refinement gained or lost."""
    if parent is None:
        return [("", None)]
    gained = node.right - parent.right
    role: Role = "good" if gained > 0 else "bad" if gained < 0 else "muted"
    sign = f"+{gained}" if gained > 0 else f"−{-gained}" if gained < 0 else "="
    return [(right(sign, 4), palette.ink(role, bold=gained != 0))]


def _age(node: ChainNode) -> int:
    return node.id
