"""REX live: every arm of a task with its posterior; the arms being pulled now are lit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip

from engine.figures.numbers import count, short
from soar_tui.widgets.line_list import LineList
from soar_tui.widgets.palette import Palette, Role
from soar_tui.widgets.posterior_strip import posterior
from soar_tui.widgets.strips import Part, beside, fit, fit_facts, lay_over, right

Order: TypeAlias = Literal["pulls", "mean", "accuracy", "draw", "children", "best child", "number"]
Which: TypeAlias = Literal["all", "pulled", "fresh", "lit"]

_WIDTHS = {
    "arm": 7,
    "parent": 8,
    "right": 6,
    "N": 6,
    "α": 6,
    "β": 6,
    "draw": 6,
    "kids": 6,
    "best": 6,
}
"""Columns and their widths, the posterior between β and draw."""
_AFTER = frozenset({"draw", "kids", "best"})
_ORDERS: dict[str, Order] = {
    "arm": "number",
    "right": "accuracy",
    "N": "pulls",
    "posterior": "mean",
    "draw": "draw",
    "kids": "children",
    "best": "best child",
}
_LEAST_STRIP = 12


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm as the table shows it.

    `id` is its candidate's id, `number` and `parent` are candidate numbers within the task (parent
    None: sampled); `right` of `pairs` demonstrations; `pulls` is N, the completions drawn from it;
    `best_child` is the best accuracy, 0..1; `draw` the last Thompson draw.
    """

    id: int
    number: int
    parent: int | None
    right: int
    pairs: int
    pulls: int
    alpha: float
    beta: float
    children: int = 0
    best_child: float | None = None
    draw: float | None = None
    island: int = 0

    @property
    def accuracy(self) -> float:
        """Share of demonstration pairs reproduced."""
        return self.right / self.pairs

    @property
    def mean(self) -> float:
        """Mean of the posterior."""
        return self.alpha / (self.alpha + self.beta)


_KEYS: dict[Order, Callable[[Arm], float]] = {
    "pulls": lambda arm: -arm.pulls,
    "mean": lambda arm: -arm.mean,
    "accuracy": lambda arm: -arm.accuracy,
    "draw": lambda arm: 1.0 if arm.draw is None else -arm.draw,
    "children": lambda arm: -arm.children,
    "best child": lambda arm: 1.0 if arm.best_child is None else -arm.best_child,
    "number": lambda arm: arm.number,
}


def arranged(arms: Iterable[Arm], order: Order, which: Which, lit: frozenset[int]) -> list[Arm]:
    """Return the arms asked for, in an order that is the same however they came."""
    tests: dict[Which, Callable[[Arm], bool]] = {
        "all": lambda _: True,
        "pulled": lambda arm: arm.pulls > 0,
        "fresh": lambda arm: arm.pulls == 0,
        "lit": lambda arm: arm.id in lit,
    }
    key = _KEYS[order]
    return sorted(filter(tests[which], arms), key=lambda arm: (key(arm), arm.number))


class ArmTable(LineList):
    """Draws the arms in view, thousands of them being there; sorts and narrows them by keys.

    The cursor stays on its arm when the order changes. Lines are those of `arms_shown`.
    """

    header = 2
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "order", "sort", tooltip="sort by the next column", id="arms.sort"),
        Binding("f", "which", "narrow", tooltip="all arms, or only some", id="arms.filter"),
    ]

    order: reactive[Order] = reactive("pulls", repaint=False, init=False)
    which: reactive[Which] = reactive("all", repaint=False, init=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._arms: tuple[Arm, ...] = ()
        self._lit: frozenset[int] = frozenset()
        self.arms_shown: list[Arm] = []

    def show(self, arms: Iterable[Arm], lit: Iterable[int] = ()) -> None:
        """Show these arms; `lit` are the ids of those being pulled right now."""
        self._arms, self._lit = tuple(arms), frozenset(lit)
        self._arrange()

    @property
    def selected(self) -> Arm | None:
        """The arm under the cursor."""
        return self.arms_shown[self.cursor] if self.cursor < len(self.arms_shown) else None

    def watch_order(self) -> None:
        """Sort anew."""
        self._arrange()

    def watch_which(self) -> None:
        """Narrow anew."""
        self._arrange()

    def action_order(self) -> None:
        """Sort by the next column."""
        orders = get_args(Order)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]

    def action_which(self) -> None:
        """Show the next kind of arms."""
        kinds = get_args(Which)
        self.which = kinds[(kinds.index(self.which) + 1) % len(kinds)]

    def draw_header(self, y: int, width: int) -> Strip:
        """Draw the summary and the column titles."""
        palette = self.palette
        if y == 1:
            return _titles(width, self.order, palette)
        pulled = [arm for arm in self._arms if arm.pulls]
        pulls = sum(arm.pulls for arm in pulled)
        top = max((arm.pulls for arm in pulled), default=0)
        facts = [
            (count(len(self._arms)), "arms"),
            (count(len(pulled)), "pulled"),
            (count(pulls), "completions"),
            # How far REX exploits: what share of all completions its favourite got.
            (f"{100 * top / pulls:.0f} %" if pulls else "–", "to the most pulled"),
            (count(len(self._lit)), "now"),
        ]
        shown = f" {self.which}, by {self.order}"
        told = [
            [(figure, palette.ink("text", bold=True)), (f" {name}", palette.ink("muted"))]
            for figure, name in facts
        ]
        summary = fit_facts(told, max(0, width - len(shown)))
        return beside([summary, fit([(shown, palette.ink("accent"))], len(shown))])

    def draw_row(self, y: int, width: int) -> Strip:
        """Draw one arm."""
        arm = self.arms_shown[y]
        strip = draw_arm(arm, width, self.palette)
        if arm.id not in self._lit:
            return strip
        return lay_over(strip, self.palette.lit)

    def _arrange(self) -> None:
        held = self.selected
        self.arms_shown = arranged(self._arms, self.order, self.which, self._lit)
        self.set_extent(len(self.arms_shown))
        cursor = self.cursor
        if held is not None:
            cursor = next(
                (line for line, arm in enumerate(self.arms_shown) if arm.id == held.id), cursor
            )
        self.set_reactive(LineList.cursor, self.validate_cursor(cursor))
        if self.is_mounted:
            self.redraw()
            if _id_of(self.selected) != _id_of(held):
                self.post_message(self.Moved(self, self.cursor))


def _id_of(arm: Arm | None) -> int | None:
    return None if arm is None else arm.id


def draw_arm(arm: Arm, width: int, palette: Palette) -> Strip:
    """Draw one arm as a line: numbers aligned right, the posterior in what room is left.

    Where the line is short, columns that say least are left out: α and β, then parent and children.
    """
    plain, muted = palette.ink("text"), palette.ink("muted")
    perfect = arm.right == arm.pairs
    role: Role = "good" if perfect else "text" if arm.right else "muted"
    better = arm.best_child is not None and arm.best_child > arm.accuracy
    best = "–" if arm.best_child is None else f"{100 * arm.best_child:.0f} %"
    cells: dict[str, tuple[str, Style]] = {
        "arm": (f"#{arm.number}", plain),
        "parent": ("–" if arm.parent is None else f"#{arm.parent}", muted),
        "right": (f"{arm.right}/{arm.pairs}", palette.ink(role, bold=perfect)),
        "N": (short(arm.pulls), plain if arm.pulls else muted),
        "α": (f"{arm.alpha:.3g}", muted),
        "β": (f"{arm.beta:.3g}", muted),
        "draw": ("–" if arm.draw is None else f"{arm.draw:.2f}", palette.ink("accent")),
        "kids": (short(arm.children), muted),
        "best": (best, palette.ink("good") if better else muted),
    }
    shown, room = _columns(width)
    curve = posterior(arm.alpha, arm.beta, room, palette, draw=arm.draw)[0]
    return _assembled(shown, cells, curve, width)


def _titles(width: int, order: Order, palette: Palette) -> Strip:
    shown, room = _columns(width)

    def style(column: str) -> Style:
        on = _ORDERS.get(column) == order
        return palette.ink("accent" if on else "muted", bold=on)

    name = "posterior" if room > 11 else ""
    scale = fit([("0" + name.center(room - 2) + "1", style("posterior"))], room)
    return _assembled(shown, {column: (column, style(column)) for column in shown}, scale, width)


def _columns(width: int) -> tuple[list[str], int]:
    """Return the columns for which there is room, and the width left for the posterior."""
    shown = list(_WIDTHS)
    for columns in (("α", "β"), ("parent", "kids")):
        if width - sum(_WIDTHS[column] for column in shown) - 1 < _LEAST_STRIP:
            shown = [column for column in shown if column not in columns]
    left = width - sum(_WIDTHS[column] for column in shown) - 1
    return shown, max(_LEAST_STRIP, left)


def _assembled(
    shown: list[str], cells: dict[str, tuple[str, Style]], curve: Strip, width: int
) -> Strip:
    groups: tuple[list[Part], list[Part]] = ([], [])
    for column in shown:
        text, style = cells[column]
        groups[column in _AFTER].append((right(text, _WIDTHS[column]), style))
    groups[0].append((" ", None))
    before, after = (fit(parts, sum(len(text) for text, _ in parts)) for parts in groups)
    return beside([before, curve, after]).adjust_cell_length(width)
