"""The figures of a run as tables and curves: the same words on the command line and in the app.

A figure is made of texts and points only; who shows it decides how it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from soar_tui.numbers import count, duration, of, percent
from soar_tui.sanitise import one_line

if TYPE_CHECKING:
    from engine.analysis import Estimate, IterationFigures, RunAnalysis


@dataclass(frozen=True, slots=True)
class Heading:
    """One column's title; `drop` says how early it goes where there is no room (0: never)."""

    title: str
    right: bool = True
    drop: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve: points (x, y) in the order of x."""

    name: str
    points: tuple[tuple[float, float], ...]
    role: Literal["good", "muted", "primary", "accent", "warn", "bad"] = "primary"


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


def money(cost: float, digits: int) -> str:
    """Return a cost; where nothing has a price, that it is not known."""
    return f"{cost:.{digits}f}" if cost else "–"


def run_figures(run: RunAnalysis, iteration: int | None = None) -> tuple[Figure, ...]:
    """Return a run's figures; those of one iteration are of `iteration`, or of the latest voted."""
    voted = [row for row in run.iterations if row.tasks]
    chosen = next((row for row in voted if row.index == iteration), voted[-1] if voted else None)
    whole = (per_iteration(run),)
    if chosen is None:
        return whole
    of_iteration: tuple[Callable[[IterationFigures], Figure], ...] = (
        against_budget,
        pass_at_k,
        equal_budget,
        formulas,
        operators,
        calibration,
    )
    return (
        *whole,
        *(make(chosen) for make in of_iteration),
        diversity(run),
        spending(run),
        hardest(run),
        lost(run),
        near_misses(run),
    )


def per_iteration(run: RunAnalysis) -> Figure:
    """Return solved, oracle and partial credit per iteration."""
    rows = tuple(
        (
            str(row.index + 1),
            row.phase,
            one_line(row.policy),
            of(row.tasks, row.planned),
            "?" if row.solved_tasks is None else str(row.solved_tasks),
            interval(row.solved),
            "?" if row.oracle_tasks is None else str(row.oracle_tasks),
            interval(row.oracle),
            interval(row.credit),
        )
        for row in run.iterations
    )
    known = [row for row in run.iterations if row.known]
    return Figure(
        name="solved per iteration",
        about="Share of the voted tasks of known truth, with 95 % bootstrap intervals over tasks. "
        "Oracle: some candidate is right. Partial: test inputs matched by either submission.",
        headings=(
            Heading("iteration"),
            Heading("phase", right=False, drop=4),
            Heading("policy", right=False, drop=5),
            Heading("voted", drop=3),
            Heading("tasks", drop=2),
            Heading("solved"),
            Heading("tasks", drop=2),
            Heading("oracle"),
            Heading("partial", drop=1),
        ),
        rows=rows,
        lines=(
            Line("oracle", _over(known, lambda row: row.oracle), "muted"),
            Line("partial", _over(known, lambda row: row.credit), "primary"),
            Line("solved", _over(known, lambda row: row.solved), "good"),
        ),
        x_name="iteration",
        warnings=tuple(f"{one.name}: {one.text}" for one in run.warnings),
    )


def against_budget(row: IterationFigures) -> Figure:
    """Return tasks solved against the candidates of each search, per operator."""
    by_budget = {(one.budget, one.series): one for one in row.budget}
    rows = []
    for budget in sorted({one.budget for one in row.budget}):
        cells = [count(budget)]
        for series in ("all", "sample", "refine"):
            one = by_budget.get((budget, series))
            cells += (
                ["–", "–"] if one is None else [interval(one.solved), percent(one.oracle.value)]
            )
        rows.append(tuple(cells))
    mine = [one for one in row.budget if one.series == "all"]
    return Figure(
        name="solved against budget",
        about=f"Iteration {row.index + 1}: a vote over each search's first candidates, all of them, "
        "only samples, only refinements. A search that ended earlier keeps its result.",
        headings=(
            Heading("candidates"),
            Heading("solved"),
            Heading("oracle"),
            Heading("samples: solved", drop=1),
            Heading("oracle", drop=3),
            Heading("refinements: solved", drop=2),
            Heading("oracle", drop=4),
        ),
        rows=tuple(rows),
        lines=(
            Line("oracle", tuple((float(x.budget), x.oracle.value) for x in mine), "muted"),
            Line("samples", _at_budget(row, "sample"), "accent"),
            Line("refinements", _at_budget(row, "refine"), "primary"),
            Line("solved", tuple((float(x.budget), x.solved.value) for x in mine), "good"),
        ),
        x_name="candidates of each search",
        log_x=True,
        empty=_UNKNOWN,
    )


def pass_at_k(row: IterationFigures) -> Figure:
    """Return the unbiased pass@k, all candidates and per operator."""
    by_k = {(one.k, one.series): one for one in row.pass_at_k}
    rows = []
    for k in sorted({one.k for one in row.pass_at_k}):
        cells = [count(k)]
        for series in ("all", "sample", "refine"):
            one = by_k.get((k, series))
            cells.append("–" if one is None else interval(one.chance))
        short = by_k.get((k, "all"))
        rows.append((*cells, "–" if short is None else str(short.short)))
    return Figure(
        name="pass@k",
        about=f"Iteration {row.index + 1}: the chance that k candidates drawn at random hold a right "
        "one, without bias. Tasks with fewer candidates than k count with all they have.",
        headings=(
            Heading("k"),
            Heading("all"),
            Heading("samples", drop=1),
            Heading("refinements", drop=1),
            Heading("short tasks", drop=2),
        ),
        rows=tuple(rows),
        lines=tuple(
            Line(
                name,
                tuple((float(x.k), x.chance.value) for x in row.pass_at_k if x.series == series),
                role,
            )
            for name, series, role in _SERIES
        ),
        x_name="k",
        log_x=True,
        empty=_UNKNOWN,
    )


def equal_budget(row: IterationFigures) -> Figure:
    """Return samples alone against samples and refinements of these."""
    return Figure(
        name="samples alone or refined",
        about=f"Iteration {row.index + 1}: b samples against half as many with the first "
        "refinements that descend from these, on tasks with enough of both. Difference in points.",
        headings=(
            Heading("candidates"),
            Heading("tasks"),
            Heading("alone"),
            Heading("refined"),
            Heading("difference", drop=1),
        ),
        rows=tuple(
            (
                count(one.budget),
                str(one.tasks),
                interval(one.alone),
                interval(one.mixed),
                difference(one.difference),
            )
            for one in row.equal_budget
        ),
        lines=(
            Line(
                "alone", tuple((float(x.budget), x.alone.value) for x in row.equal_budget), "accent"
            ),
            Line(
                "refined", tuple((float(x.budget), x.mixed.value) for x in row.equal_budget), "good"
            ),
        ),
        x_name="candidates",
        log_x=True,
        empty="no task has enough samples and refinements, or the truth is unknown",
    )


def formulas(row: IterationFigures) -> Figure:
    """Return the vote formulas on the same candidates."""
    return Figure(
        name="vote formulas",
        about=f"Iteration {row.index + 1}: every formula on the same candidates; * is the run's own.",
        headings=(
            Heading("formula", right=False),
            Heading("tasks"),
            Heading("solved"),
            Heading("partial"),
        ),
        rows=tuple(
            (
                f"{one.formula}{' *' if one.used else ''}",
                str(one.solved_tasks),
                interval(one.solved),
                interval(one.credit),
            )
            for one in row.formulas
        ),
        empty=_UNKNOWN,
    )


def operators(row: IterationFigures) -> Figure:
    """Return how often each operator succeeds, and its moving average."""
    roles: dict[str, Literal["accent", "primary"]] = {"sample": "accent", "refine": "primary"}
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
        return Figure("calibration", about, headings, (), empty=_UNKNOWN)
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

    def line(group: str) -> tuple[tuple[float, float], ...]:
        return tuple(
            (row.index + 1.0, one.distance.value)
            for row in voted
            for one in row.diversity
            if one.group == group and one.distance is not None
        )

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
        lines=(Line("solved", line("solved"), "good"), Line("unsolved", line("unsolved"), "warn"))
        if any(line("solved") + line("unsolved"))
        else (Line("all", line("all")),),
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
                money(spent.cost, 2),
                "–" if each is None else duration(each.seconds),
                "–" if each is None else count(each.candidates),
                "–" if each is None else count(each.tokens_in + each.tokens_out),
                "–" if each is None else money(each.cost, 4),
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


def hardest(run: RunAnalysis) -> Figure:
    """Return the tasks that no iteration solved, the hardest first."""
    return Figure(
        name="hardest tasks",
        about="Never solved: no right candidate first, then the lowest best accuracy.",
        headings=(
            Heading("task", right=False),
            Heading("iterations", drop=2),
            Heading("candidates", drop=1),
            Heading("best"),
            Heading("perfect", drop=1),
            Heading("right"),
        ),
        rows=tuple(
            (
                one_line(one.task),
                str(one.iterations),
                count(one.candidates),
                percent(one.best),
                count(one.perfect),
                count(one.right),
            )
            for one in run.hardest
        ),
        empty="every task of known truth was solved, or none is known",
    )


def lost(run: RunAnalysis) -> Figure:
    """Return the tasks an earlier iteration solved and the latest did not."""
    return Figure(
        name="lost tasks",
        about="Solved by an earlier iteration, not by the latest; right: candidates that still are.",
        headings=(
            Heading("task", right=False),
            Heading("solved in"),
            Heading("lost in"),
            Heading("right"),
        ),
        rows=tuple(
            (
                one_line(one.task),
                str(one.solved_in + 1),
                str(one.lost_in + 1),
                count(one.still_right),
            )
            for one in run.lost
        ),
        empty="no task was lost",
    )


def near_misses(run: RunAnalysis) -> Figure:
    """Return unsolved tasks by how few cells their nearest pattern has wrong."""
    return Figure(
        name="near misses",
        about="Unsolved tasks by the wrong cells of their nearest pattern; 0: right, but outvoted.",
        headings=(
            Heading("task", right=False),
            Heading("iteration", drop=2),
            Heading("wrong cells"),
            Heading("of", drop=1),
            Heading("rank"),
            Heading("candidates", drop=1),
        ),
        rows=tuple(
            (
                one_line(one.task),
                str(one.iteration + 1),
                count(one.near.wrong),
                count(one.near.cells),
                str(one.near.rank),
                count(one.near.count),
            )
            for one in run.near_misses
        ),
        empty="no unsolved task has a pattern of the right shape",
    )


_UNKNOWN = "the truth of these tasks is unknown"
_SERIES: tuple[tuple[str, str, Literal["good", "accent", "primary"]], ...] = (
    ("samples", "sample", "accent"),
    ("refinements", "refine", "primary"),
    ("all", "all", "good"),
)


def _over(
    rows: Iterable[IterationFigures], value: Callable[[IterationFigures], Estimate | None]
) -> tuple[tuple[float, float], ...]:
    held = [(row.index + 1.0, value(row)) for row in rows]
    return tuple((x, y.value) for x, y in held if y is not None)


def _at_budget(row: IterationFigures, series: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (float(one.budget), one.solved.value) for one in row.budget if one.series == series
    )


def chosen(figures: Sequence[Figure], names: Sequence[str]) -> list[Figure]:
    """Return the figures of some names, by a part of the name; of no names, all of them."""
    if not names:
        return list(figures)
    parts = [name.casefold() for name in names]
    return [one for one in figures if any(part in one.name.casefold() for part in parts)]
