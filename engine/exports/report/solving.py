"""What was solved, in a report: in the words that `soar-tui analyze` has for the same figures."""

from __future__ import annotations

from collections.abc import Sequence

from engine.analysis import Estimate, IterationFigures, RunAnalysis
from engine.exports.report.charts import Chart, chart, estimates
from engine.exports.report.parts import (
    UNKNOWN_TRUTH,
    difference,
    interval,
    section,
    share,
    warnings,
)
from engine.exports.text import markup

_SERIES = (("samples", "sample"), ("refinements", "refine"), ("all", "all"))


def per_iteration(run: RunAnalysis) -> str:
    """Return solved, oracle and partial credit per iteration."""
    rows = [
        (
            str(row.index + 1),
            markup(row.phase),
            markup(row.policy),
            f"{row.tasks:,} of {row.planned:,}",
            "?" if row.solved_tasks is None else str(row.solved_tasks),
            interval(row.solved),
            "?" if row.oracle_tasks is None else str(row.oracle_tasks),
            interval(row.oracle),
            interval(row.credit),
        )
        for row in run.iterations
    ]
    heads = (
        "iteration", "phase", "policy", "voted", "tasks", "solved", "tasks", "oracle", "partial",
    )  # fmt: skip

    def curve(values: Sequence[Estimate | None]) -> list[tuple[float, Estimate | None]]:
        return [(row.index + 1, one) for row, one in zip(run.iterations, values, strict=True)]

    drawn = Chart(
        "Solved per iteration",
        "iteration",
        (
            estimates("oracle", curve([row.oracle for row in run.iterations])),
            estimates("partial", curve([row.credit for row in run.iterations])),
            estimates("solved", curve([row.solved for row in run.iterations])),
        ),
        share=True,
    )
    return section(
        "solved per iteration",
        "Share of the voted tasks of known truth, with 95 % bootstrap intervals over tasks. "
        "Oracle: some candidate is right. Partial: test inputs matched by either submission.",
        heads,
        rows,
        chart(drawn) if len(run.iterations) > 1 else "",
        after=warnings(run),
    )


def against_budget(row: IterationFigures) -> str:
    """Return tasks solved against the candidates of each search, per operator."""
    held = {(one.budget, one.series): one for one in row.budget}
    rows = []
    for budget in sorted({one.budget for one in row.budget}):
        cells = [f"{budget:,}"]
        for series in ("all", "sample", "refine"):
            one = held.get((budget, series))
            cells += ["–", "–"] if one is None else [interval(one.solved), share(one.oracle.value)]
        rows.append(cells)
    heads = (
        "candidates", "solved", "oracle", "samples: solved", "oracle", "refinements: solved",
        "oracle",
    )  # fmt: skip
    mine = [one for one in row.budget if one.series == "all"]
    drawn = Chart(
        "Solved against budget",
        "candidates of each search",
        (
            estimates("oracle", [(one.budget, one.oracle) for one in mine]),
            *(
                estimates(
                    "solved" if series == "all" else name,
                    [(one.budget, one.solved) for one in row.budget if one.series == series],
                )
                for name, series in _SERIES
            ),
        ),
        share=True,
        log=True,
    )
    return section(
        "solved against budget",
        f"Iteration {row.index + 1}: a vote over each search's first candidates, all of them, "
        "only samples, only refinements. A search that ended earlier keeps its result.",
        heads,
        rows,
        chart(drawn),
        empty=UNKNOWN_TRUTH,
    )


def pass_at_k(row: IterationFigures) -> str:
    """Return the unbiased pass@k, all candidates and per operator."""
    held = {(one.k, one.series): one for one in row.pass_at_k}
    rows = []
    for k in sorted({one.k for one in row.pass_at_k}):
        found = [held.get((k, series)) for series in ("all", "sample", "refine")]
        cells = ["–" if one is None else interval(one.chance) for one in found]
        rows.append((f"{k:,}", *cells, "–" if found[0] is None else str(found[0].short)))
    drawn = Chart(
        "pass@k",
        "k",
        tuple(
            estimates(name, [(one.k, one.chance) for one in row.pass_at_k if one.series == series])
            for name, series in _SERIES
        ),
        share=True,
        log=True,
    )
    return section(
        "pass@k",
        f"Iteration {row.index + 1}: the chance that k candidates drawn at random hold a right "
        "one, without bias. Tasks with fewer candidates than k count with all they have.",
        ("k", "all", "samples", "refinements", "short tasks"),
        rows,
        chart(drawn),
        empty=UNKNOWN_TRUTH,
    )


def equal_budget(row: IterationFigures) -> str:
    """Return samples alone against samples and refinements of these."""
    rows = [
        (
            f"{one.budget:,}",
            str(one.tasks),
            interval(one.alone),
            interval(one.mixed),
            difference(one.difference),
        )
        for one in row.equal_budget
    ]
    drawn = Chart(
        "Samples alone or refined",
        "candidates",
        (
            estimates("alone", [(one.budget, one.alone) for one in row.equal_budget]),
            estimates("refined", [(one.budget, one.mixed) for one in row.equal_budget]),
        ),
        share=True,
        log=True,
    )
    return section(
        "samples alone or refined",
        f"Iteration {row.index + 1}: b samples against half as many with the first "
        "refinements that descend from these, on tasks with enough of both. Difference in points.",
        ("candidates", "tasks", "alone", "refined", "difference"),
        rows,
        chart(drawn),
        empty="no task has enough samples and refinements, or the truth is unknown",
    )


def formulas(row: IterationFigures) -> str:
    """Return the vote formulas on the same candidates."""
    rows = [
        (
            f"{one.formula}{' *' if one.used else ''}",
            str(one.solved_tasks),
            interval(one.solved),
            interval(one.credit),
        )
        for one in row.formulas
    ]
    return section(
        "vote formulas",
        f"Iteration {row.index + 1}: every formula on the same candidates; * is the run's own.",
        ("formula", "tasks", "solved", "partial"),
        rows,
        empty=UNKNOWN_TRUTH,
    )
