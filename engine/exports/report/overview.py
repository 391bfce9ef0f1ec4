"""The first half of a report: what the run was, its figures, its curves."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from engine.analysis import IterationFigures, RunAnalysis
from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.charts import Chart, Curve, chart, estimates
from engine.exports.report.parts import duration, interval, table
from engine.exports.text import markup

POINTS = 400
"""Points of a curve that are drawn; of a longer one every so many."""
LISTED = 12


def heading(name: str, reader: RunReader, settings: Settings) -> str:
    """Return the title and one line that says what the run is."""
    rows = reader.iterations()
    day = datetime.datetime.fromtimestamp(reader.created, datetime.UTC).strftime(
        "%Y-%m-%d %H:%M UTC"
    )
    through = sum(row.ended is not None for row in rows)
    parts = [
        f"tasks {settings.tasks}",
        f"policy {settings.policy.kind}",
        f"seed {settings.seed}",
        f"{through} of {settings.planned_iterations} iterations through",
        f"{sum(row.candidates for row in rows):,} candidates",
        f"begun {day}",
    ]
    return f'<h1>{markup(name)}</h1><p class="soft">{markup(" · ".join(parts))}</p>'


def figures(analysis: RunAnalysis) -> str:
    """Return the table of iterations with intervals, and the warnings."""
    rows = [_row(row) for row in analysis.iterations]
    heads = (
        "iteration", "phase", "tasks", "solved", "oracle", "partial credit", "candidates",
        "time", "tokens", "cost", "policy",
    )  # fmt: skip
    warned = "".join(
        f'<p class="bad">{markup(f"{one.name}: {one.text}")}</p>' for one in analysis.warnings
    )
    note = (
        '<p class="soft">Solved: one of two submissions right on every test input; in grey the 95 % '
        f"bootstrap interval over tasks. Vote formula: {markup(analysis.formula)}.</p>"
    )
    return f"<h2>Figures</h2>{table(heads, rows)}{note}{warned}"


def _row(row: IterationFigures) -> list[str]:
    spent = row.spending
    return [
        str(row.index + 1),
        markup(row.phase),
        f"{row.tasks:,} of {row.planned:,}",
        interval(row.solved),
        interval(row.oracle),
        interval(row.credit),
        f"{spent.candidates:,}",
        duration(spent.seconds),
        f"{spent.tokens_in + spent.tokens_out:,}",
        f"${spent.cost:,.2f}" if spent.cost else "–",
        markup(row.policy),
    ]


def curves(reader: RunReader, analysis: RunAnalysis) -> str:
    """Return all charts that have something to show."""
    drawn = [chart(one) for one in (*_of_analysis(analysis), *_of_metrics(reader))]
    shown = "".join(drawn)
    return f'<h2>Curves</h2><div class="charts">{shown}</div>' if shown else ""


def _of_analysis(analysis: RunAnalysis) -> Iterator[Chart]:
    known = [row for row in analysis.iterations if row.solved is not None]
    if len(known) > 1:
        yield Chart(
            "Solved per iteration",
            "iteration",
            (
                estimates("solved", [(row.index + 1, row.solved) for row in known]),
                estimates("oracle", [(row.index + 1, row.oracle) for row in known]),
            ),
            share=True,
        )
    if not known:
        return
    last = known[-1]
    held = [point for point in last.budget if point.series == "all"]
    yield Chart(
        f"Solved against budget, iteration {last.index + 1}",
        "candidates per task",
        (
            estimates("solved", [(point.budget, point.solved) for point in held]),
            estimates("oracle", [(point.budget, point.oracle) for point in held]),
        ),
        share=True,
        log=True,
    )
    series = dict.fromkeys(point.series for point in last.pass_at_k)
    yield Chart(
        f"pass@k, iteration {last.index + 1}",
        "k",
        tuple(
            estimates(
                name, [(point.k, point.chance) for point in last.pass_at_k if point.series == name]
            )
            for name in series
        ),
        share=True,
        log=True,
    )
    yield Chart(
        f"Success of operators (moving average), iteration {last.index + 1}",
        "completions",
        tuple(Curve(one.operator, tuple(_thinned(one.curve))) for one in last.operators),
        share=True,
    )
    if last.calibration is not None:
        bins = [one for one in last.calibration.bins if one.tasks]
        yield Chart(
            f"Vote share against being right, iteration {last.index + 1}",
            "share of the vote",
            (Curve("right", tuple((one.share, one.right) for one in bins)),),
            share=True,
            diagonal=True,
        )


def _of_metrics(reader: RunReader) -> Iterator[Chart]:
    groups: dict[str, list[Curve]] = {}
    for name in reader.metric_names():
        group, _, rest = name.rpartition("/")
        points = [(float(p.step), p.value) for p in reader.metrics(name)]
        curve = Curve(rest if group else name, tuple(_thinned(points)))
        groups.setdefault(group or name, []).append(curve)
    for group, held in groups.items():
        yield Chart(group, "step", tuple(held[-5:]))


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    step = max(1, len(points) // POINTS)
    kept = list(points[::step])
    return kept if not points or kept[-1] == points[-1] else [*kept, points[-1]]


def lists(analysis: RunAnalysis) -> str:
    """Return the tasks worth a look: near misses, lost, hardest; each leads to its task."""
    parts = []
    if analysis.near_misses:
        parts.append("<h3>Near misses</h3>")
        parts.append(
            table(
                ("task", "iteration", "wrong cells"),
                [
                    (link(one.index, one.task), str(one.iteration + 1), str(one.near.wrong))
                    for one in analysis.near_misses[:LISTED]
                ],
            )
        )
    if analysis.lost:
        parts.append("<h3>Solved once, lost since</h3>")
        parts.append(
            table(
                ("task", "solved in", "lost in", "candidates still right"),
                [
                    (
                        link(one.index, one.task),
                        str(one.solved_in + 1),
                        str(one.lost_in + 1),
                        f"{one.still_right:,}",
                    )
                    for one in analysis.lost[:LISTED]
                ],
            )
        )
    if analysis.hardest:
        parts.append("<h3>Hardest</h3>")
        parts.append(
            table(
                ("task", "candidates", "right", "perfect", "best accuracy"),
                [
                    (
                        link(one.index, one.task),
                        f"{one.candidates:,}",
                        f"{one.right:,}",
                        f"{one.perfect:,}",
                        "–" if one.best is None else f"{one.best:.2f}",
                    )
                    for one in analysis.hardest[:LISTED]
                ],
            )
        )
    return "<h2>Worth a look</h2>" + "".join(parts) if parts else ""


def link(index: int, name: str) -> str:
    """Return a link to a task's place in the report."""
    return f'<a href="#t{index}">{markup(name)}</a>'
