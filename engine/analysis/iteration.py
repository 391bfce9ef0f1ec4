"""One iteration of a run in figures, computed from the records of its voted searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis.calibration import Calibration, calibrate
from engine.analysis.diversity import GroupDiversity, group_diversity
from engine.analysis.estimates import Estimate, estimate, estimates, pass_at_k
from engine.analysis.operators import OperatorSuccess, operator_success
from engine.analysis.record import FORMULAS, LADDER, SERIES, SearchRecord, Series
from engine.analysis.spending import Spending, spending
from engine.archive.rows import IterationRow
from engine.config import Formula


@dataclass(frozen=True, slots=True)
class FormulaFigures:
    """What one vote formula makes of the same candidates."""

    formula: Formula
    """The formula's name."""
    used: bool
    """Whether it is the run's own."""
    solved_tasks: int
    """Tasks solved by it."""
    solved: Estimate
    """The same as a share of the tasks."""
    credit: Estimate
    """Mean share of test inputs that either of its submissions matches."""


@dataclass(frozen=True, slots=True)
class PassFigures:
    """pass@k, without bias (Chen et al. 2021)."""

    k: int
    """How many candidates are drawn at random, without replacement."""
    series: Series
    """From which candidates of a search: all, only samples, only refinements."""
    chance: Estimate
    """Mean chance over tasks that a right one is among them."""
    short: int
    """Tasks with fewer than k candidates of the series, which count with all they have."""


@dataclass(frozen=True, slots=True)
class BudgetFigures:
    """Tasks solved by a vote over each search's first candidates of a series."""

    budget: int
    """How many candidates vote, the first planned; a search that ended earlier keeps its result."""
    series: Series
    """Which candidates of a search: all, only samples, only refinements."""
    solved_tasks: int
    """Tasks solved by that vote."""
    solved: Estimate
    """The same as a share of the tasks."""
    oracle_tasks: int
    """Tasks for which some of these candidates is right on every test input."""
    oracle: Estimate
    """The same as a share of the tasks."""


@dataclass(frozen=True, slots=True)
class EqualBudget:
    """Samples alone against samples and refinements of these, at equal budget."""

    budget: int
    """b candidates: alone, the first b samples; mixed, b - b/2 of them and b/2 that refine these."""
    tasks: int
    """Tasks that have enough of both; the figures are over these."""
    alone_tasks: int
    """Tasks solved by samples alone."""
    alone: Estimate
    """The same as a share of the tasks."""
    mixed_tasks: int
    """Tasks solved by samples and refinements."""
    mixed: Estimate
    """The same as a share of the tasks."""
    difference: Estimate
    """Mixed minus alone, paired by task."""


@dataclass(frozen=True, slots=True)
class IterationFigures:
    """One iteration, as far as it has been voted on.

    What is about right answers is over the tasks of known truth, and None or empty without any.
    """

    index: int
    """Its place among the run's iterations, from 0."""
    phase: str
    """`train` on tasks to learn from, `test` on the target tasks."""
    policy: str
    """The name of the policy that searched."""
    checkpoint: str
    """The name of the checkpoint it searched with, e.g. `untrained`."""
    planned: int
    """Tasks it is to search."""
    tasks: int
    """Tasks it has voted on, which every figure is over."""
    known: int
    """Those of them whose truth is known."""
    solved_tasks: int | None
    """Tasks solved: one of the two recorded submissions is right on every test input."""
    solved: Estimate | None
    """The same as a share of `known`."""
    oracle_tasks: int | None
    """Tasks for which some candidate is right on every test input, a filtered one too."""
    oracle: Estimate | None
    """The same as a share of `known`."""
    credit: Estimate | None
    """Partial credit: mean share of test inputs that either submission matches (SOAR §1)."""
    formulas: tuple[FormulaFigures, ...]
    """Every vote formula on the same candidates."""
    pass_at_k: tuple[PassFigures, ...]
    """pass@k, per series and k."""
    budget: tuple[BudgetFigures, ...]
    """Solved against budget, per series and budget."""
    equal_budget: tuple[EqualBudget, ...]
    """Samples alone or refined, per budget."""
    diversity: tuple[GroupDiversity, ...]
    """Diversity, per group of tasks."""
    operators: tuple[OperatorSuccess, ...]
    """Success of each operator that was pulled."""
    calibration: Calibration | None
    """Whether shares of the vote foretell what is right; None where no such task has a vote."""
    spending: Spending
    """Time, tokens and money."""


def iteration_figures(
    row: IterationRow, records: Sequence[SearchRecord], formula: Formula, learning: float | None
) -> IterationFigures:
    """Return an iteration's figures; `learning` is how many seconds learning from it took."""
    known = [record for record in records if record.known]
    solved, oracle, credit = estimates(
        np.array(
            [[bool(r.solved), r.right["all"] > 0, r.credit or 0.0] for r in known],
            dtype=np.float64,
        ).reshape(-1, 3)
    )
    return IterationFigures(
        index=row.index,
        phase=row.phase,
        policy=row.policy,
        checkpoint=row.checkpoint,
        planned=row.tasks,
        tasks=len(records),
        known=len(known),
        solved_tasks=sum(bool(r.solved) for r in known) if known else None,
        solved=solved,
        oracle_tasks=sum(r.right["all"] > 0 for r in known) if known else None,
        oracle=oracle,
        credit=credit,
        formulas=_formulas(known, formula),
        pass_at_k=_passes(known),
        budget=_budgets(known),
        equal_budget=_equal_budgets(known),
        diversity=group_diversity(records),
        operators=operator_success([record.pulls for record in records]),
        calibration=calibrate(known),
        spending=spending(row, records, learning),
    )


def budgets_of(records: Sequence[SearchRecord], series: Series = "all") -> list[int]:
    """Return the budgets worth showing: up to the first that no search goes beyond."""
    most = max((record.counts[series] for record in records), default=0)
    reached = [budget for budget in LADDER if budget < most]
    return [*reached, *LADDER[len(reached) : len(reached) + 1]] if most else []


def _formulas(known: Sequence[SearchRecord], used: Formula) -> tuple[FormulaFigures, ...]:
    if not known:
        return ()
    found = []
    for formula in FORMULAS:
        held = np.array([record.formulas[formula] for record in known], dtype=np.float64)
        solved, credit = estimates(held)
        assert solved is not None and credit is not None
        found.append(
            FormulaFigures(formula, formula == used, int(held[:, 0].sum()), solved, credit)
        )
    return tuple(found)


def _passes(known: Sequence[SearchRecord]) -> tuple[PassFigures, ...]:
    found = []
    for series in SERIES:
        ks = budgets_of(known, series)
        if not ks:
            continue
        chances = [
            [
                pass_at_k(r.counts[series], r.right[series], k) if r.counts[series] else 0.0
                for k in ks
            ]
            for r in known
        ]
        means = estimates(np.array(chances, dtype=np.float64).reshape(len(known), len(ks)))
        for k, chance in zip(ks, means, strict=True):
            assert chance is not None
            short = sum(record.counts[series] < k for record in known)
            found.append(PassFigures(k, series, chance, short))
    return tuple(found)


def _budgets(known: Sequence[SearchRecord]) -> tuple[BudgetFigures, ...]:
    found = []
    for series in SERIES:
        shown = budgets_of(known, series)
        if not shown:
            continue
        steps = range(len(shown))
        solved = np.array(
            [[r.solved_at[series][s] for s in steps] for r in known], dtype=np.float64
        )
        oracle = np.array(
            [[r.oracle_at[series][s] for s in steps] for r in known], dtype=np.float64
        )
        both = estimates(np.hstack([solved, oracle]))
        for step, budget in enumerate(shown):
            by_vote, by_oracle = both[step], both[len(shown) + step]
            assert by_vote is not None and by_oracle is not None
            found.append(
                BudgetFigures(
                    budget,
                    series,
                    int(solved[:, step].sum()),
                    by_vote,
                    int(oracle[:, step].sum()),
                    by_oracle,
                )
            )
    return tuple(found)


def _equal_budgets(known: Sequence[SearchRecord]) -> tuple[EqualBudget, ...]:
    found = []
    for step, budget in enumerate(LADDER):
        held = [record for record in known if record.alone_at[step] >= 0]
        if not held:
            continue
        alone = np.array([record.alone_at[step] for record in held], dtype=np.float64)
        mixed = np.array([record.mixed_at[step] for record in held], dtype=np.float64)
        first, second, difference = map(estimate, (alone, mixed, mixed - alone))
        assert first is not None and second is not None and difference is not None
        found.append(
            EqualBudget(
                budget, len(held), int(alone.sum()), first, int(mixed.sum()), second, difference
            )
        )
    return tuple(found)
