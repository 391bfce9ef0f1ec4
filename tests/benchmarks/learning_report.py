"""Scores of runs as Markdown tables, and as a figure of what was solved within b programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from xml.sax.saxutils import escape

from tests.benchmarks.learning_scores import (
    FORMULAS,
    Estimate,
    Part,
    RunScore,
    difference,
    discordant,
    estimate,
    marks,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One arm: its name, what was done in it, the formula it votes by, a score per seed."""

    name: str
    title: str
    formula: str
    runs: tuple[RunScore, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The parts every one of its runs has, in order."""
        return tuple(part.label for part in self.runs[0].parts)

    def parts(self, label: str) -> tuple[Part, ...]:
        """Return the part of that label, one per seed."""
        return tuple(part for run in self.runs for part in run.parts if part.label == label)


Comparison = tuple[str, str, str]
"""Two rows' names and what their difference answers."""


def rows_of(arms: Sequence[Measured]) -> dict[str, tuple[Measured, str]]:
    """Return the tables' rows by name: an arm, or of several parts `arm:part`."""
    return {
        (arm.name if len(arm.labels) == 1 else f"{arm.name}:{label}"): (arm, label)
        for arm in arms
        for label in arm.labels
    }


def solved_table(arms: Sequence[Measured], budgets: Sequence[int]) -> str:
    """Return what each arm solved, as a Markdown table."""
    heads = ["row", "what", "seeds", "programs a task", "solved [95 %]"]
    heads += [f"`{formula}`" for formula in FORMULAS]
    heads += ["oracle", *(f"@{budget}" for budget in budgets)]
    lines = []
    for name, (arm, label) in rows_of(arms).items():
        parts = arm.parts(label)
        tasks = len(parts[0].candidates)
        spent = median(sum(part.candidates) / tasks for part in parts)
        at = [f"@{budget}" for budget in budgets if label != "pooled"]
        figures = [_number(estimate(marks(parts, what)).median) for what in ("oracle", *at)]
        figures += [""] * (len(budgets) + 1 - len(figures))
        lines.append(
            [
                f"`{name}`",
                arm.title,
                str(len(parts)),
                f"{spent:.0f}",
                f"**{interval(estimate(marks(parts, arm.formula)))}** of {tasks}",
                *(_number(estimate(marks(parts, formula)).median) for formula in FORMULAS),
                *figures,
            ]
        )
    return table(heads, lines)


def comparison_table(
    arms: Sequence[Measured], comparisons: Sequence[Comparison], early: int
) -> str:
    """Return the differences between rows that are there, each resampled over the same tasks."""
    rows = rows_of(arms)
    heads = ["question", "rows", "solved", f"solved@{early}", "oracle", "only first · only second"]
    lines = []
    for first, second, question in comparisons:
        if first not in rows or second not in rows:
            continue
        (arm, label), (other, beside) = rows[first], rows[second]
        found, against = arm.parts(label), other.parts(beside)
        pairs = [(arm.formula, other.formula), (f"@{early}",) * 2, ("oracle",) * 2]
        only = discordant(marks(found, arm.formula), marks(against, other.formula))
        lines.append(
            [
                question,
                f"`{first}` - `{second}`",
                *(
                    interval(difference(marks(found, what), marks(against, than)), signed=True)
                    for what, than in pairs
                ),
                f"{only[0]} · {only[1]}",
            ]
        )
    return table(heads, lines)


def time_table(arms: Sequence[Measured]) -> str:
    """Return the median seconds of each phase, as a Markdown table."""
    heads = ["arm", "search to learn from", "gathering and fitting", "search of the targets", "all"]
    lines = []
    for arm in arms:
        last = [
            sum(part.seconds for part in run.parts if part.label != "pooled") for run in arm.runs
        ]
        train = [run.train_search for run in arm.runs]
        learning = [run.learning for run in arm.runs]
        every = [sum(each) for each in zip(train, learning, last, strict=True)]
        seconds = [f"{median(values):.0f} s" for values in (train, learning, last, every)]
        lines.append([f"`{arm.name}`", *seconds])
    return table(heads, lines)


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def interval(found: Estimate, *, signed: bool = False) -> str:
    """Return an estimate as text, e.g. `114 [98, 131]`."""
    if signed:
        return f"{found.median:+g} [{round(found.low, 1):+g}, {round(found.high, 1):+g}]"
    return f"{_number(found.median)} [{_number(found.low)}, {_number(found.high)}]"


def _number(value: float) -> str:
    return f"{round(value, 1):g}"


WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 28, 48
# Okabe and Ito's colours, which people who see red and green alike can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def figure(curves: Mapping[str, Mapping[int, float]], title: str) -> str:
    """Return an SVG of tasks solved against programs per task, one line per named curve.

    Programs are drawn on a logarithmic scale. Raises ValueError without a point to draw.
    """
    budgets = sorted({budget for curve in curves.values() for budget in curve})
    if not budgets:
        raise ValueError("no curve has a point")
    top = max(max(curve.values()) for curve in curves.values()) or 1.0
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    span = math.log(budgets[-1] / budgets[0]) or 1.0

    def across(budget: int) -> float:
        return LEFT + width * math.log(budget / budgets[0]) / span

    def up(solved: float) -> float:
        return TOP + height * (1 - solved / top)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 18, title),
        _text(LEFT + width / 2, HEIGHT - 8, "programs per task", "middle"),
    ]
    for budget in budgets:
        parts.append(_line(across(budget), TOP, across(budget), TOP + height))
        parts.append(_text(across(budget), TOP + height + 18, str(budget), "middle"))
    for solved in _ticks(top):
        parts.append(_line(LEFT, up(solved), LEFT + width, up(solved)))
        parts.append(_text(LEFT - 6, up(solved) + 4, f"{solved:g}", "end"))
    for (name, curve), place, colour in zip(
        curves.items(), _apart(curves, up), COLOURS * len(curves), strict=False
    ):
        points = [(across(budget), up(curve[budget])) for budget in sorted(curve)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(_text(LEFT + width + 10, place + 4, name, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def _apart(curves: Mapping[str, Mapping[int, float]], up: Callable[[float], float]) -> list[float]:
    """Return where each curve's name goes, beside its end and clear of the other names."""
    ends = [up(curve[max(curve)]) for curve in curves.values()]
    places = dict.fromkeys(range(len(ends)), 0.0)
    lowest = -math.inf
    for number in sorted(places, key=ends.__getitem__):
        lowest = places[number] = max(ends[number], lowest + 16)
    return list(places.values())


def _ticks(top: float) -> list[float]:
    step = 10 ** math.floor(math.log10(top))
    step = next(each for each in (step / 5, step / 2, step, 2 * step) if top / each <= 6)
    return [number * step for number in range(int(top / step) + 1)]


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" '
        'stroke="#dddddd" stroke-width="1"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#333333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
