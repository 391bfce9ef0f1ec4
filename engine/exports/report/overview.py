"""The first half of a report: what the run was, and its figures."""

from __future__ import annotations

import datetime

from engine.analysis import RunAnalysis
from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.report.parts import count, section, share
from engine.exports.report.searching import calibration, diversity, metrics, operators, spending
from engine.exports.report.solving import (
    against_budget,
    equal_budget,
    formulas,
    pass_at_k,
    per_iteration,
)
from engine.exports.text import markup


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


def figures(run: RunAnalysis, reader: RunReader, iteration: int | None) -> str:
    """Return a run's figures; those of one iteration are of `iteration`, or of the latest voted."""
    voted = [row for row in run.iterations if row.tasks]
    chosen = next((row for row in voted if row.index == iteration), voted[-1] if voted else None)
    parts = [per_iteration(run)]
    if chosen is not None:
        parts += [
            make(chosen)
            for make in (
                against_budget,
                pass_at_k,
                equal_budget,
                formulas,
                operators,
                calibration,
            )
        ]
        parts += [diversity(run), spending(run), _hardest(run), _lost(run), _near_misses(run)]
    return "".join([*parts, metrics(reader)])


def _hardest(run: RunAnalysis) -> str:
    rows = [
        (
            link(one.index, one.task),
            str(one.iterations),
            count(one.candidates),
            "–" if one.best is None else share(one.best),
            count(one.perfect),
            count(one.right),
        )
        for one in run.hardest
    ]
    return section(
        "hardest tasks",
        "Never solved: no right candidate first, then the lowest best accuracy.",
        ("task", "iterations", "candidates", "best", "perfect", "right"),
        rows,
        empty="every task of known truth was solved, or none is known",
    )


def _lost(run: RunAnalysis) -> str:
    rows = [
        (
            link(one.index, one.task),
            str(one.solved_in + 1),
            str(one.lost_in + 1),
            count(one.still_right),
        )
        for one in run.lost
    ]
    return section(
        "lost tasks",
        "Solved by an earlier iteration, not by the latest; right: candidates that still are.",
        ("task", "solved in", "lost in", "right"),
        rows,
        empty="no task was lost",
    )


def _near_misses(run: RunAnalysis) -> str:
    rows = [
        (
            link(one.index, one.task),
            str(one.iteration + 1),
            count(one.near.wrong),
            count(one.near.cells),
            str(one.near.rank),
            count(one.near.count),
        )
        for one in run.near_misses
    ]
    return section(
        "near misses",
        "Unsolved tasks by the wrong cells of their nearest pattern; 0: right, but outvoted.",
        ("task", "iteration", "wrong cells", "of", "rank", "candidates"),
        rows,
        empty="no unsolved task has a pattern of the right shape",
    )


def link(index: int, name: str) -> str:
    """Return a link to a task's place in the report."""
    return f'<a href="#t{index}">{markup(name)}</a>'
