"""Pooling: any runs and iterations voted together, and what each of them contributes (SOAR §6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis.ballot import ballot_of, credit, pooled, solves, submissions
from engine.analysis.estimates import Estimate, estimates
from engine.analysis.record import task_digest
from engine.arc import Task
from engine.archive.reader import RunReader
from engine.config import VoteConfig


class PoolError(ValueError):
    """Runs that cannot be voted together; the message names the runs and the task."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One iteration of one run, as a member of a pool."""

    run: str
    iteration: int
    reader: RunReader


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """What a member solves alone, and what the pool would without it."""

    run: str
    """The run's name."""
    iteration: int
    """Which of its iterations is pooled, from 0."""
    alone_tasks: int
    """Tasks solved by its candidates alone."""
    without_tasks: int
    """Tasks solved by the others' candidates."""
    contribution: int
    """Tasks the pool solves minus `without_tasks`; below 0, the pool is better off without it."""
    only: int
    """Tasks where only this member has a candidate that is right."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A vote over the union of all members' candidates, on the tasks of known truth they share."""

    formula: str
    """The vote formula, that of the first member's run."""
    tasks: int
    """Tasks shared."""
    solved_tasks: int
    """Tasks solved together."""
    solved: Estimate | None
    """The same as a share of the tasks."""
    oracle_tasks: int
    """Tasks for which some member has a right candidate."""
    oracle: Estimate | None
    """The same as a share of the tasks."""
    credit: Estimate | None
    """Mean share of test inputs that either submission matches."""
    members: tuple[MemberFigures, ...]
    """What each member contributes (leave one out)."""


@dataclass(frozen=True, slots=True)
class _Vote:
    """How one task's vote went: pooled, alone and without each member, and who is ever right."""

    solved: bool
    credit: float
    alone: tuple[bool, ...]
    without: tuple[bool, ...]
    oracle: tuple[bool, ...]


def shared_tasks(members: Sequence[Member]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the ids of the tasks of known truth that every member has voted on, and where.

    Per task its index in each member's run, in the order of the first. Raises PoolError when runs
    have different tasks under one id, and ArchiveError.
    """
    held: list[dict[str, tuple[int, Task]]] = []
    for member in members:
        voted = {
            row.task
            for row in member.reader.searches()
            if row.iteration == member.iteration and row.finished is not None
        }
        tasks = member.reader.tasks()
        held.append({tasks[index].id: (index, tasks[index]) for index in sorted(voted)})
    found = []
    for name, (_, task) in held[0].items() if held else ():
        if not all(name in one and one[name][1].truth is not None for one in held):
            continue
        for member, one in zip(members[1:], held[1:], strict=True):
            if task_digest(one[name][1]) != task_digest(task):
                raise PoolError(
                    f"task {name!r} is not the same in {members[0].run} and {member.run}: "
                    "only runs on the same tasks can be put together"
                )
        found.append((name, tuple(one[name][0] for one in held)))
    return found


def pool(members: Sequence[Member], vote: VoteConfig) -> Iterator[tuple[int, int, Pool | None]]:
    """Vote over all members together, task by task; yields (done, all, None), last with the pool.

    Raises PoolError when there are no members or they share no task of known truth.
    """
    if not members:
        raise PoolError("nothing to pool")
    tasks = shared_tasks(members)
    if not tasks:
        raise PoolError("these runs share no task of known truth that all of them have voted on")
    votes = []
    for done, (_, indexes) in enumerate(tasks):
        yield done, len(tasks), None
        votes.append(_vote(members, indexes, vote))
    yield len(tasks), len(tasks), _pool(members, votes, vote)


def _vote(members: Sequence[Member], indexes: Sequence[int], vote: VoteConfig) -> _Vote:
    ballots, oracle = [], []
    for member, index in zip(members, indexes, strict=True):
        columns = member.reader.search_columns(member.iteration, index)
        ballots.append(ballot_of(columns, member.reader.tasks()[index]))
        oracle.append(bool((columns.marks == (1 << columns.tests) - 1).any()))
    whole = pooled(ballots)
    submitted = submissions(whole, vote.formula, vote.c)
    alone, without = [], []
    for place in range(len(members)):
        mine = whole.member == place
        alone.append(solves(whole, submissions(whole, vote.formula, vote.c, mine)))
        without.append(solves(whole, submissions(whole, vote.formula, vote.c, ~mine)))
    return _Vote(
        solves(whole, submitted),
        credit(whole, submitted),
        tuple(alone),
        tuple(without),
        tuple(oracle),
    )


def _pool(members: Sequence[Member], votes: Sequence[_Vote], vote: VoteConfig) -> Pool:
    solved = sum(one.solved for one in votes)
    figures = np.array([[one.solved, any(one.oracle), one.credit] for one in votes], dtype=float)
    by_vote, by_oracle, by_credit = estimates(figures)
    parts = []
    for place, member in enumerate(members):
        without = sum(one.without[place] for one in votes)
        parts.append(
            MemberFigures(
                run=member.run,
                iteration=member.iteration,
                alone_tasks=sum(one.alone[place] for one in votes),
                without_tasks=without,
                contribution=solved - without,
                only=sum(one.oracle[place] and sum(one.oracle) == 1 for one in votes),
            )
        )
    return Pool(
        formula=vote.formula,
        tasks=len(votes),
        solved_tasks=solved,
        solved=by_vote,
        oracle_tasks=sum(any(one.oracle) for one in votes),
        oracle=by_oracle,
        credit=by_credit,
        members=tuple(parts),
    )
