"""Runs side by side: task by task, by McNemar's test, at equal budget, and by their settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.analysis.changes import SettingChange, setting_changes
from engine.analysis.estimates import Estimate, estimate, mcnemar
from engine.analysis.record import LADDER, SearchRecord
from engine.config import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One run as one side of a comparison: an iteration's records, and the run's settings.

    `settings` is None where they are not known; `records` are of voted searches.
    """

    run: str
    iteration: int
    policy: str
    settings: Settings | None
    records: Sequence[SearchRecord]

    @property
    def label(self) -> str:
        """What a table calls it: the run, and its iteration counted from 1."""
        return f"{self.run}:{self.iteration + 1}"


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side of a comparison, on the shared tasks."""

    label: str
    """What tables call it: the run, and its iteration counted from 1."""
    run: str
    """The run's name."""
    iteration: int
    """Which of its iterations is compared, from 0."""
    policy: str
    """The name of the policy that searched."""
    solved_tasks: int
    """Tasks solved: one of the two submissions is right on every test input."""
    solved: Estimate
    """The same as a share of the tasks."""
    oracle_tasks: int
    """Tasks for which some candidate is right on every test input, a filtered one too."""
    oracle: Estimate
    """The same as a share of the tasks."""
    credit: Estimate
    """Mean share of test inputs that either submission matches."""
    candidates: float
    """Mean number of candidates spent on a task."""


@dataclass(frozen=True, slots=True)
class PairedTask:
    """One shared task, on every side."""

    task: str
    """The task's id."""
    solved: tuple[bool, ...]
    """Per side, whether it is solved."""
    oracle: tuple[bool, ...]
    """Per side, whether some candidate is right on every test input."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two sides on the same tasks: McNemar's exact test on the tasks that only one solves."""

    first: str
    """The label of the first side."""
    second: str
    """The label of the second side."""
    both: int
    """Tasks that both solve."""
    only_first: int
    """Tasks that only the first solves."""
    only_second: int
    """Tasks that only the second solves."""
    neither: int
    """Tasks that neither solves."""
    p_value: float
    """The test's two-sided exact p-value."""
    difference: Estimate
    """The second's solved share minus the first's, paired by task."""


@dataclass(frozen=True, slots=True)
class SolvedAtBudget:
    """What each side solves with as many candidates per search."""

    budget: int
    """How many candidates vote, a search's first; one that ended earlier keeps its result."""
    solved_tasks: tuple[int, ...]
    """Per side, the shared tasks solved."""
    solved: tuple[Estimate, ...]
    """The same as shares of the tasks."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side on the tasks of known truth that all of them have voted on."""

    sides: tuple[SideFigures, ...]
    """The runs, in the order they were named."""
    tasks: tuple[PairedTask, ...]
    """Every shared task, in the order of the first side."""
    left_out: int
    """Tasks of known truth that some sides have voted on but not all."""
    tests: tuple[PairedTest, ...]
    """McNemar's test for each two sides."""
    budget: tuple[SolvedAtBudget, ...]
    """Solved at equal budget, smallest budget first."""
    settings: tuple[SettingChange, ...]
    """The settings in which they differ."""


class ComparisonError(ValueError):
    """Runs that have nothing in common to compare."""


def compare(sides: Sequence[Side]) -> Comparison:
    """Compare two or more runs. Raises ComparisonError when they share no task of known truth."""
    if len(sides) < 2:
        raise ComparisonError("it takes two runs to compare")
    by_side = [{record.id: record for record in side.records if record.known} for side in sides]
    names = [name for name in by_side[0] if all(name in held for held in by_side)]
    if not names:
        raise ComparisonError(
            f"{' and '.join(side.label for side in sides)} share no task of known truth that all of "
            "them have voted on"
        )
    rows = [[held[name] for held in by_side] for name in names]
    for name, row in zip(names, rows, strict=True):
        if len({record.content for record in row}) > 1:
            raise ComparisonError(
                f"task {name!r} is not the same in {' and '.join(side.label for side in sides)}: "
                "only runs on the same tasks can be compared"
            )
    return Comparison(
        sides=tuple(_figures(side, [row[at] for row in rows]) for at, side in enumerate(sides)),
        tasks=tuple(
            PairedTask(
                name,
                tuple(bool(record.solved) for record in row),
                tuple(record.right["all"] > 0 for record in row),
            )
            for name, row in zip(names, rows, strict=True)
        ),
        left_out=len({name for held in by_side for name in held}) - len(names),
        tests=tuple(
            _test(sides[a].label, sides[b].label, [(row[a], row[b]) for row in rows])
            for a, b in combinations(range(len(sides)), 2)
        ),
        budget=_at_budgets(rows),
        settings=setting_changes([side.settings for side in sides]),
    )


def _figures(side: Side, records: Sequence[SearchRecord]) -> SideFigures:
    solved = estimate([bool(record.solved) for record in records])
    oracle = estimate([record.right["all"] > 0 for record in records])
    credit = estimate([record.credit or 0.0 for record in records])
    assert solved is not None and oracle is not None and credit is not None
    return SideFigures(
        label=side.label,
        run=side.run,
        iteration=side.iteration,
        policy=side.policy,
        solved_tasks=sum(bool(record.solved) for record in records),
        solved=solved,
        oracle_tasks=sum(record.right["all"] > 0 for record in records),
        oracle=oracle,
        credit=credit,
        candidates=sum(record.row.candidates for record in records) / len(records),
    )


def _test(first: str, second: str, rows: Sequence[tuple[SearchRecord, SearchRecord]]) -> PairedTest:
    marks = np.array([[bool(a.solved), bool(b.solved)] for a, b in rows], dtype=np.bool_)
    one, other = marks[:, 0], marks[:, 1]
    difference = estimate(other.astype(float) - one.astype(float))
    assert difference is not None
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    return PairedTest(
        first=first,
        second=second,
        both=int((one & other).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~one & ~other).sum()),
        p_value=mcnemar(only_first, only_second),
        difference=difference,
    )


def _at_budgets(rows: Sequence[Sequence[SearchRecord]]) -> tuple[SolvedAtBudget, ...]:
    most = max(record.counts["all"] for row in rows for record in row)
    found = []
    for step, budget in enumerate(LADDER):
        held = [[bool(record.solved_at["all"][step]) for record in row] for row in rows]
        means = [estimate(column) for column in zip(*held, strict=True)]
        found.append(
            SolvedAtBudget(
                budget,
                tuple(sum(column) for column in zip(*held, strict=True)),
                tuple(mean for mean in means if mean is not None),
            )
        )
        if budget >= most:
            break
    return tuple(found)
