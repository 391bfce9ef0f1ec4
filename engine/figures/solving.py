"""What was solved: per iteration, against budget, pass@k, with and without refinement, by formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.figures.figure import (
    UNKNOWN_TRUTH,
    Figure,
    Heading,
    Role,
    difference,
    estimated,
    interval,
)
from engine.figures.numbers import count, of, percent

if TYPE_CHECKING:
    from engine.analysis import IterationFigures, RunAnalysis

_SERIES: tuple[tuple[str, str, Role], ...] = (
    ("samples", "sample", "accent"),
    ("refinements", "refine", "primary"),
    ("all", "all", "good"),
)


def per_iteration(run: RunAnalysis) -> Figure:
    """Return solved, oracle and partial credit per iteration."""
    rows = tuple(
        (
            str(row.index + 1),
            row.phase,
            row.policy,
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
            estimated("oracle", [(row.index + 1, row.oracle) for row in known], "muted"),
            estimated("partial", [(row.index + 1, row.credit) for row in known], "primary"),
            estimated("solved", [(row.index + 1, row.solved) for row in known], "good"),
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
            estimated(
                "oracle", [(x.budget, x.oracle) for x in row.budget if x.series == "all"], "muted"
            ),
            *(
                estimated(
                    "solved" if series == "all" else name,
                    [(x.budget, x.solved) for x in row.budget if x.series == series],
                    role,
                )
                for name, series, role in _SERIES
            ),
        ),
        x_name="candidates of each search",
        log_x=True,
        empty=UNKNOWN_TRUTH,
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
            estimated(name, [(x.k, x.chance) for x in row.pass_at_k if x.series == series], role)
            for name, series, role in _SERIES
        ),
        x_name="k",
        log_x=True,
        empty=UNKNOWN_TRUTH,
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
            estimated("alone", [(x.budget, x.alone) for x in row.equal_budget], "accent"),
            estimated("refined", [(x.budget, x.mixed) for x in row.equal_budget], "good"),
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
        empty=UNKNOWN_TRUTH,
    )
