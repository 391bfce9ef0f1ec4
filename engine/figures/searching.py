"""How the search went: operators, calibration of the vote, diversity, what was spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.figures.figure import (
    UNKNOWN_TRUTH,
    Figure,
    Heading,
    Line,
    Role,
    cost,
    distance,
    estimated,
)
from engine.figures.numbers import count, duration, percent

if TYPE_CHECKING:
    from engine.analysis import IterationFigures, RunAnalysis


def operators(row: IterationFigures) -> Figure:
    """Return how often each operator succeeds, and its moving average."""
    roles: dict[str, Role] = {"sample": "accent", "refine": "primary"}
    return Figure(
        name="operator success",
        about=f"Iteration {row.index + 1}: a sample succeeds when it is right on all demonstrations, "
        "a refinement when on more than its parent. Curve: average over the last 500 completions.",
        headings=(
            Heading("operator", right=False),
            Heading("pulls", drop=1),
            Heading("completions"),
            Heading("succeeded"),
            Heading("rate"),
            Heading("lately"),
        ),
        rows=tuple(
            (
                one.operator,
                count(one.pulls),
                count(one.completions),
                count(one.successes),
                f"{100 * one.rate:.1f} %",
                f"{100 * one.average:.1f} %",
            )
            for one in row.operators
        ),
        lines=tuple(
            Line(one.operator, tuple((float(x), y) for x, y in one.curve), roles[one.operator])
            for one in row.operators
        ),
        x_name="completions",
    )


def calibration(row: IterationFigures) -> Figure:
    """Return whether the heaviest pattern's share of the vote foretells that it is right."""
    held = row.calibration
    about = f"Iteration {row.index + 1}: the heaviest pattern's share of the weight, and how often it is right."
    headings = (Heading("share"), Heading("tasks"), Heading("mean share"), Heading("right"))
    if held is None:
        return Figure("calibration", about, headings, (), empty=UNKNOWN_TRUTH)
    return Figure(
        name="calibration",
        about=f"{about} Expected calibration error {held.error:.3f}, Brier score {held.brier:.3f}.",
        headings=headings,
        rows=tuple(
            (
                f"{100 * one.low:.0f}-{100 * one.high:.0f} %",
                str(one.tasks),
                percent(one.share),
                percent(one.right),
            )
            for one in held.bins
        ),
        lines=(
            Line("as foretold", ((0.0, 0.0), (1.0, 1.0)), "muted"),
            Line("right", tuple((one.share, one.right) for one in held.bins), "good"),
        ),
        x_name="share of the vote's weight",
    )


def diversity(run: RunAnalysis) -> Figure:
    """Return the diversity per iteration, of solved and unsolved tasks apart."""
    rows, voted = [], [row for row in run.iterations if row.tasks]
    for row in voted:
        rows += [
            (
                str(row.index + 1),
                one.group,
                str(one.tasks),
                distance(one.distance),
                "–" if one.programs is None else percent(one.programs.value),
                "–" if one.outputs is None else percent(one.outputs.value),
            )
            for one in row.diversity
        ]

    def line(group: str, role: Role) -> Line:
        held = [(row.index + 1, one) for row in voted for one in row.diversity]
        return estimated(group, [(x, one.distance) for x, one in held if one.group == group], role)

    apart = (line("solved", "good"), line("unsolved", "warn"))
    return Figure(
        name="diversity",
        about="Mean pairwise embedding distance of a search's programs, and the shares of distinct "
        "programs and of distinct results.",
        headings=(
            Heading("iteration"),
            Heading("tasks", right=False),
            Heading("of", drop=2),
            Heading("distance"),
            Heading("programs", drop=1),
            Heading("results", drop=1),
        ),
        rows=tuple(rows),
        lines=apart if any(one.points for one in apart) else (line("all", "primary"),),
        x_name="iteration",
        shares=False,
        warnings=tuple(f"{one.name}: {one.text}" for one in run.warnings),
    )


def spending(run: RunAnalysis) -> Figure:
    """Return time, tokens and money per iteration, and per solved task."""
    rows = []
    voted = [row for row in run.iterations if row.tasks]
    for row in voted:
        spent, each = row.spending, row.spending.per_solved
        rows.append(
            (
                str(row.index + 1),
                duration(spent.seconds),
                duration(spent.learning_seconds),
                count(spent.candidates),
                count(spent.tokens_in + spent.tokens_out),
                cost(spent.cost),
                "–" if each is None else duration(each.seconds),
                "–" if each is None else count(each.candidates),
                "–" if each is None else count(each.tokens_in + each.tokens_out),
                "–" if each is None else cost(each.cost),
            )
        )
    return Figure(
        name="time, tokens and money",
        about="In all and per solved task; money in the currency of the price tables.",
        headings=(
            Heading("iteration"),
            Heading("time"),
            Heading("learning", drop=4),
            Heading("candidates", drop=3),
            Heading("tokens", drop=2),
            Heading("cost", drop=2),
            Heading("per solved: time"),
            Heading("candidates", drop=1),
            Heading("tokens", drop=1),
            Heading("cost", drop=1),
        ),
        rows=tuple(rows),
        lines=(
            Line(
                "candidates per solved task",
                tuple(
                    (row.index + 1.0, row.spending.per_solved.candidates)
                    for row in voted
                    if row.spending.per_solved is not None
                ),
                "accent",
            ),
        ),
        x_name="iteration",
        shares=False,
    )
