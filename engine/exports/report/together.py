"""Runs and iterations put together, in a report: voted together, and by the size of their models."""

from __future__ import annotations

from engine.analysis import Estimate, Pool, ScalingPoint
from engine.exports.report.charts import Chart, chart, estimates
from engine.exports.report.parts import count, interval, section, share
from engine.exports.text import markup


def pooled(pool: Pool) -> str:
    """Return a pool and what each member contributes to it."""
    rows = [
        (
            markup(f"{one.run}:{one.iteration + 1}"),
            str(one.alone_tasks),
            share(one.alone_tasks / pool.tasks),
            str(one.without_tasks),
            f"{one.contribution:+d}",
            str(one.only),
        )
        for one in pool.members
    ]
    whole = ("together", str(pool.solved_tasks), interval(pool.solved), "", "", "")
    return section(
        "pooled",
        f"One vote ({pool.formula}) over all candidates on {pool.tasks} shared tasks; oracle "
        f"{_range(pool.oracle)}, partial {_range(pool.credit)}. Without: solved by the others; "
        "only: right candidates nobody else has.",
        ("member", "tasks", "solved", "without", "adds", "only"),
        [*rows, whole],
    )


def model_sizes(points: tuple[ScalingPoint, ...]) -> str:
    """Return what runs of several policies solve against the size of their models."""
    rows = [
        (
            markup(f"{one.run}:{one.iteration + 1}"),
            markup(one.model),
            "–" if one.parameters is None else f"{one.parameters / 1e9:g} billion",
            str(one.tasks),
            count(one.candidates),
            interval(one.solved),
            interval(one.oracle),
        )
        for one in points
    ]
    sized = [(one.parameters, one.solved) for one in points if one.parameters is not None]
    drawn = Chart("Model size", "parameters", (estimates("solved", sized),), share=True, log=True)
    return section(
        "model size",
        "Each run's latest voted iteration; sizes as the models' names say them.",
        ("run", "model", "parameters", "tasks", "candidates", "solved", "oracle"),
        rows,
        chart(drawn) if len(sized) > 1 else "",
    )


def _range(value: Estimate | None) -> str:
    if value is None:
        return "?"
    return f"{share(value.value)} ({100 * value.low:.1f} to {100 * value.high:.1f})"
