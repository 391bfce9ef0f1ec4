"""What analysis keeps of one search: a few kilobytes, whatever the number of candidates.

Everything shown of a run is computed from these records, so a run of millions of candidates is
read one search at a time and each search once: a search that was voted on never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from engine.analysis.ballot import Ballot, ballot_of, count_votes, credit, solves, submissions
from engine.analysis.near import NearMiss, nearest
from engine.arc import Task
from engine.archive.packing import digest, pack_grids
from engine.archive.tallies import SearchColumns, SearchRow
from engine.config import Formula, VoteConfig
from engine.learning.embedding import diversity

Series: TypeAlias = Literal["all", "sample", "refine"]
"""Which candidates: all in the order they were planned, only samples, only refinements."""

SERIES: Final[tuple[Series, ...]] = get_args(Series)
FORMULAS: Final[tuple[Formula, ...]] = get_args(Formula)
EMBEDDED: Final = 16
"""Programs of a search whose embedding distance is measured, drawn evenly at random."""


def _ladder() -> tuple[int, ...]:
    return tuple(step * 10**power for power in range(6) for step in (1, 2, 3, 5, 7))


LADDER: Final = _ladder()
"""Budgets, in candidates of one search, at which votes are held again: 1, 2, 3, 5, 7, 10, 20, …"""


@dataclass(frozen=True, slots=True, eq=False)
class PullOutcomes:
    """A search's pulls: when, by which operator, how many completions, how many succeeded.

    A sample succeeds when it is right on every demonstration, a refinement when it is right on more
    demonstrations than its parent; a filtered candidate never does.
    """

    created: NDArray[np.float64]
    refined: NDArray[np.bool_]
    completions: NDArray[np.int32]
    successes: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class SearchRecord:
    """One voted search.

    `content` is a digest of the task's grids. `solved`, `credit` and `right` are of the recorded submissions and candidates, None or 0 where
    the truth is unknown (`known`). Per series, `solved_at` and `oracle_at` say for each budget of
    LADDER whether a vote over the first so many of its candidates solves the task, and whether one
    of these is right on every test input. `alone_at` and `mixed_at`, int8, hold at equal budget b
    a vote over the first b samples, and one over the first b - b/2 samples with the first b/2
    refinements that descend from them (0 or 1; -1: there are not so many). `formulas` holds solved
    and credit under each formula on the same candidates. `share` is the heaviest pattern's share of
    all weight, `first_right` whether that pattern is right. `distance` is the mean pairwise
    embedding distance of EMBEDDED programs (None: fewer than two).
    """

    row: SearchRow
    id: str
    content: bytes
    known: bool
    submitted: bool
    solved: bool | None
    credit: float | None
    counts: Mapping[Series, int]
    right: Mapping[Series, int]
    solved_at: Mapping[Series, NDArray[np.bool_]]
    oracle_at: Mapping[Series, NDArray[np.bool_]]
    alone_at: NDArray[np.int8]
    mixed_at: NDArray[np.int8]
    formulas: Mapping[Formula, tuple[bool, float]]
    share: float | None
    first_right: bool | None
    programs: int
    distinct_programs: int
    outputs: int
    distinct_outputs: int
    distance: float | None
    near: NearMiss | None
    pulls: PullOutcomes


def record_of(
    row: SearchRow, columns: SearchColumns, task: Task, sources: Sequence[str], vote: VoteConfig
) -> SearchRecord:
    """Return the record of one voted search; `sources` are those of `embedded_programs`.

    Raises ValueError for a search that was not voted on.
    """
    if columns.submitted is None:
        raise ValueError(f"task {task.id}: its search is not finished")
    ballot = ballot_of(columns, task)
    right = _right(columns)
    chosen = _chosen(columns)
    whole = count_votes(ballot, vote.formula, vote.c)
    ranked = whole.heaviest()
    known = task.truth is not None
    marks = [one for one in columns.submitted if one is not None]
    solved = any(map(all, marks)) if known else None
    alone, mixed = _equal_budgets(columns, ballot, vote) if known else (_never(), _never())
    ran = columns.ran & (columns.outcome >= 0)
    held = columns.program >= 0
    return SearchRecord(
        row=row,
        id=task.id,
        content=task_digest(task),
        known=known,
        submitted=bool(columns.submitted),
        solved=solved,
        credit=sum(map(any, zip(*marks, strict=True))) / columns.tests if known else None,
        counts={name: int(chosen[name].sum()) for name in SERIES},
        right={name: int((right & chosen[name]).sum()) for name in SERIES},
        solved_at={name: _solved_at(ballot, chosen[name], vote) for name in SERIES},
        oracle_at={name: _oracle_at(right, chosen[name]) for name in SERIES},
        alone_at=alone,
        mixed_at=mixed,
        formulas=_formulas(ballot, vote.c) if known else {},
        share=_share(whole.weight, whole.votes, ranked),
        first_right=solves(ballot, ranked[:1]) if known and ranked else None,
        programs=int(held.sum()),
        distinct_programs=len(np.unique(columns.key[held])),
        outputs=int(ran.sum()),
        distinct_outputs=len(np.unique(columns.outcome[ran])),
        distance=diversity(sources),
        near=None if not known or solved else nearest(columns, task, ranked, whole.votes),
        pulls=pull_outcomes(columns),
    )


def task_digest(task: Task) -> bytes:
    """Return 16 bytes that are the same for tasks of the same grids, test outputs included."""
    sides = [grid for pair in task.train for grid in (pair.input, pair.output)]
    groups = (sides, task.test, task.truth or ())
    return digest(b"|".join(pack_grids(group) for group in groups))


def embedded_programs(columns: SearchColumns, most: int = EMBEDDED) -> list[int]:
    """Return the archive's ids of up to `most` programs, drawn evenly from the candidates.

    Duplicates are drawn as often as they came, for a search that repeats itself is not diverse.
    """
    held = columns.program[columns.program >= 0]
    if len(held) > most:
        rng = np.random.default_rng((columns.iteration, columns.task))
        held = held[np.sort(rng.choice(len(held), size=most, replace=False))]
    return [int(program) for program in held]


def pull_outcomes(columns: SearchColumns) -> PullOutcomes:
    """Return how each pull of a search went."""
    parents_right = np.where(columns.parent >= 0, columns.pairs_right[columns.parent], -1)
    better = np.where(
        columns.refined,
        (columns.parent >= 0) & (columns.pairs_right > parents_right),
        columns.pairs_right == columns.pairs,
    )
    pulls = len(columns.pull_created)
    succeeded = better & ~columns.barred
    return PullOutcomes(
        created=columns.pull_created,
        refined=columns.pull_refined,
        completions=np.bincount(columns.pull, minlength=pulls).astype(np.int32),
        successes=np.bincount(columns.pull[succeeded], minlength=pulls).astype(np.int32),
    )


def _right(columns: SearchColumns) -> NDArray[np.bool_]:
    """Return which candidates are right on every test input, filtered ones too."""
    whole = (1 << columns.tests) - 1
    right = np.zeros(len(columns.id), dtype=np.bool_)
    voted = columns.pattern >= 0
    right[voted] = columns.marks[columns.pattern[voted]] == whole
    return right


def _chosen(columns: SearchColumns) -> dict[Series, NDArray[np.bool_]]:
    return {
        "all": np.ones(len(columns.id), dtype=np.bool_),
        "sample": ~columns.refined,
        "refine": columns.refined,
    }


def _solved_at(ballot: Ballot, chosen: NDArray[np.bool_], vote: VoteConfig) -> NDArray[np.bool_]:
    numbers = np.cumsum(chosen)[ballot.place]
    among = chosen[ballot.place]

    def solved(budget: int) -> bool:
        first = among & (numbers <= budget)
        return solves(ballot, submissions(ballot, vote.formula, vote.c, first))

    return _climb(int(chosen.sum()), solved, possible=_some_right(ballot))


def _oracle_at(right: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.flatnonzero(right[chosen])
    first = int(found[0]) if len(found) else LADDER[-1]
    return np.array([first < budget for budget in LADDER], dtype=np.bool_)


def _climb(available: int, solved: Callable[[int], bool], *, possible: bool) -> NDArray[np.bool_]:
    """Return whether a search is solved at each budget; past its end it stays as it ended."""
    found = np.zeros(len(LADDER), dtype=np.bool_)
    if not possible:
        return found
    for step, budget in enumerate(LADDER):
        found[step] = solved(budget)
        if budget >= available:
            found[step:] = found[step]
            break
    return found


def _some_right(ballot: Ballot) -> bool:
    return bool((ballot.marks == (1 << ballot.tests) - 1).any())


def _never() -> NDArray[np.int8]:
    return np.full(len(LADDER), -1, dtype=np.int8)


def _equal_budgets(
    columns: SearchColumns, ballot: Ballot, vote: VoteConfig
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return solved by samples alone and by half as many with refinements of these, per budget."""
    alone, mixed = _never(), _never()
    sampled = np.cumsum(~columns.refined)
    root = _roots(columns)
    for step, budget in enumerate(LADDER):
        half = budget - budget // 2
        descend = columns.refined & ~columns.refined[root] & (sampled[root] <= half)
        if budget < 2 or int(sampled[-1:].sum()) < budget or int(descend.sum()) < budget // 2:
            continue
        samples = ~columns.refined & (sampled <= budget)
        both = (~columns.refined & (sampled <= half)) | (
            descend & (np.cumsum(descend) <= budget // 2)
        )
        for found, chosen in ((alone, samples), (mixed, both)):
            held = submissions(ballot, vote.formula, vote.c, chosen[ballot.place])
            found[step] = solves(ballot, held)
    return alone, mixed


def _roots(columns: SearchColumns) -> NDArray[np.int32]:
    """Return for each candidate the position of its first ancestor."""
    root = np.where(columns.parent >= 0, columns.parent, np.arange(len(columns.id), dtype=np.int32))
    while True:
        above = root[root]
        if np.array_equal(above, root):
            return root
        root = above


def _formulas(ballot: Ballot, c: float) -> dict[Formula, tuple[bool, float]]:
    held = {formula: submissions(ballot, formula, c) for formula in FORMULAS}
    return {
        formula: (solves(ballot, submitted), credit(ballot, submitted))
        for formula, submitted in held.items()
    }


def _share(
    weight: NDArray[np.float64], votes: NDArray[np.int64], ranked: Sequence[int]
) -> float | None:
    total = float(weight[votes > 0].sum())
    return None if not ranked or total <= 0 else float(weight[ranked[0]]) / total
