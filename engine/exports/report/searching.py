"""How a search went, in a report: operators, calibration, diversity, spending, metrics."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis import Estimate, IterationFigures, RunAnalysis
from engine.archive.reader import RunReader
from engine.exports.report.charts import Chart, Curve, chart, estimates
from engine.exports.report.parts import (
    UNKNOWN_TRUTH,
    count,
    duration,
    section,
    share,
    spread,
    warnings,
)

POINTS = 400
"""Points of a curve that are drawn; of a longer one every so many."""


def operators(row: IterationFigures) -> str:
    """Return how often each operator succeeds, and its moving average."""
    rows = [
        (
            one.operator,
            f"{one.pulls:,}",
            f"{one.completions:,}",
            f"{one.successes:,}",
            share(one.rate),
            share(one.average),
        )
        for one in row.operators
    ]
    drawn = Chart(
        "Operator success",
        "completions",
        tuple(Curve(one.operator, tuple(_thinned(one.curve))) for one in row.operators),
        share=True,
    )
    return section(
        "operator success",
        f"Iteration {row.index + 1}: a sample succeeds when it is right on all demonstrations, "
        "a refinement when on more than its parent. Curve: average over the last 500 completions.",
        ("operator", "pulls", "completions", "succeeded", "rate", "lately"),
        rows,
        chart(drawn),
    )


def calibration(row: IterationFigures) -> str:
    """Return whether the heaviest pattern's share of the vote foretells that it is right."""
    held = row.calibration
    about = (
        f"Iteration {row.index + 1}: the heaviest pattern's share of the weight, and how often it "
        "is right."
    )
    heads = ("share", "tasks", "mean share", "right")
    if held is None:
        return section("calibration", about, heads, (), empty=UNKNOWN_TRUTH)
    rows = [
        (
            f"{100 * one.low:.0f}-{100 * one.high:.0f} %",
            str(one.tasks),
            share(one.share),
            share(one.right),
        )
        for one in held.bins
    ]
    drawn = Chart(
        "Calibration",
        "share of the vote's weight",
        (Curve("right", tuple((one.share, one.right) for one in held.bins)),),
        share=True,
        diagonal=True,
    )
    return section(
        "calibration",
        f"{about} Expected calibration error {held.error:.3f}, Brier score {held.brier:.3f}.",
        heads,
        rows,
        chart(drawn),
    )


def diversity(run: RunAnalysis) -> str:
    """Return the diversity per iteration, of solved and unsolved tasks apart."""
    held = [(row.index + 1, one) for row in run.iterations for one in row.diversity]
    rows = [
        (
            str(iteration),
            one.group,
            str(one.tasks),
            spread(one.distance),
            "–" if one.programs is None else share(one.programs.value),
            "–" if one.outputs is None else share(one.outputs.value),
        )
        for iteration, one in held
    ]

    def points(group: str) -> list[tuple[float, Estimate | None]]:
        return [(iteration, one.distance) for iteration, one in held if one.group == group]

    apart = [name for name in ("solved", "unsolved") if points(name)] or ["all"]
    drawn = Chart(
        "Diversity",
        "iteration",
        tuple(estimates(name, points(name)) for name in apart),
    )
    return section(
        "diversity",
        "Mean pairwise embedding distance of a search's programs, and the shares of distinct "
        "programs and of distinct results.",
        ("iteration", "tasks", "of", "distance", "programs", "results"),
        rows,
        chart(drawn) if len(run.iterations) > 1 else "",
        after=warnings(run),
    )


def spending(run: RunAnalysis) -> str:
    """Return time, tokens and money per iteration, and per solved task."""
    voted = [row.spending for row in run.iterations if row.tasks]
    numbers = [row.index + 1 for row in run.iterations if row.tasks]
    rows = []
    for number, spent in zip(numbers, voted, strict=True):
        each = spent.per_solved
        rows.append(
            (
                str(number),
                duration(spent.seconds),
                duration(spent.learning_seconds),
                count(spent.candidates),
                count(spent.tokens_in + spent.tokens_out),
                _money(spent.cost, 2),
                *(
                    ("–",) * 4
                    if each is None
                    else (
                        duration(each.seconds),
                        count(each.candidates),
                        count(each.tokens_in + each.tokens_out),
                        _money(each.cost, 4),
                    )
                ),
            )
        )
    heads = (
        "iteration", "time", "learning", "candidates", "tokens", "cost", "per solved: time",
        "candidates", "tokens", "cost",
    )  # fmt: skip
    points = [
        (float(number), spent.per_solved.candidates)
        for number, spent in zip(numbers, voted, strict=True)
        if spent.per_solved is not None
    ]
    drawn = Chart("Candidates per solved task", "iteration", (Curve("candidates", tuple(points)),))
    return section(
        "time, tokens and money",
        "In all and per solved task; money in the currency of the price tables.",
        heads,
        rows,
        chart(drawn) if len(points) > 1 else "",
    )


def metrics(reader: RunReader) -> str:
    """Return a chart per group of metrics."""
    groups: dict[str, list[Curve]] = {}
    for name in reader.metric_names():
        group, _, rest = name.rpartition("/")
        points = [(float(p.step), p.value) for p in reader.metrics(name)]
        curve = Curve(rest if group else name, tuple(_thinned(points)))
        groups.setdefault(group or name, []).append(curve)
    drawn = "".join(chart(Chart(group, "step", tuple(held[-5:]))) for group, held in groups.items())
    return f'<h2>Metrics</h2><div class="charts">{drawn}</div>' if drawn else ""


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, len(points) // POINTS)
    kept = list(points[::step])
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def _money(cost: float, digits: int) -> str:
    return f"{cost:.{digits}f}" if cost else "–"
