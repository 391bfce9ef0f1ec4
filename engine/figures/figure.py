"""What a figure is: texts and points only; who shows it decides how it looks.

Names of runs, tasks and models are in it as they are written: who shows it makes them harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.figures.numbers import money, percent

if TYPE_CHECKING:
    from engine.analysis import Estimate


Role: TypeAlias = Literal["good", "muted", "primary", "accent", "warn", "bad"]
"""What a curve stands for, as far as its colour may say so."""

UNKNOWN_TRUTH = "the truth of these tasks is unknown"


@dataclass(frozen=True, slots=True)
class Heading:
    """One column's title; `drop` says how early it goes where there is no room (0: never).

    `tasks`: its cells are ids of tasks.
    """

    title: str
    right: bool = True
    drop: int = 0
    tasks: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve: points (x, y) in the order of x, and (low, high) of each where it has any."""

    name: str
    points: tuple[tuple[float, float], ...]
    role: Role = "primary"
    bounds: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: a table, curves over a common x where it has any, and a sentence to read it by.

    `shares`: the curves' y are shares 0..1; `log_x`: x is best seen by its logarithm. `warnings` are of the run, where they belong here.
    """

    name: str
    about: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[Line, ...] = ()
    x_name: str = ""
    shares: bool = True
    log_x: bool = False
    empty: str = "nothing to show yet"
    warnings: tuple[str, ...] = ()


def estimated(name: str, points: Iterable[tuple[float, Estimate | None]], role: Role) -> Line:
    """Return a curve of those estimates that are known, with their intervals."""
    known = [(float(x), y) for x, y in points if y is not None]
    return Line(
        name,
        tuple((x, y.value) for x, y in known),
        role,
        tuple((y.low, y.high) for _, y in known),
    )


def interval(value: Estimate | None) -> str:
    """Return a share with its interval, e.g. `69 % [56-82]`; `?` where it is not known."""
    if value is None:
        return "?"
    return f"{percent(value.value)} [{100 * value.low:.0f}-{100 * value.high:.0f}]"


def distance(value: Estimate | None) -> str:
    """Return a distance or a share of distinct things with its interval, in thousandths."""
    if value is None:
        return "–"
    return f"{value.value:.3f} [{value.low:.3f}-{value.high:.3f}]"


def difference(value: Estimate) -> str:
    """Return a difference of shares with its interval, in points: `+4.4 [-2.2, +11.1]`."""
    return f"{100 * value.value:+.1f} [{100 * value.low:+.1f}, {100 * value.high:+.1f}]"


def cost(amount: float) -> str:
    """Return a cost; where nothing has a price, that it is not known."""
    return money(amount) if amount else "–"


def chosen(figures: Sequence[Figure], names: Sequence[str]) -> list[Figure]:
    """Return the figures of some names, by a part of the name; of no names, all of them."""
    if not names:
        return list(figures)
    parts = [name.casefold() for name in names]
    return [one for one in figures if any(part in one.name.casefold() for part in parts)]
