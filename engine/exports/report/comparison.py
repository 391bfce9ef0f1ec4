"""Runs side by side in a report, in the words that `soar-tui compare` has for the same figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.analysis import Comparison, NamedSettings, PairedTask, setting_changes
from engine.exports.report.charts import Chart, chart, estimates
from engine.exports.report.overview import link
from engine.exports.report.parts import difference, interval, table
from engine.exports.text import markup

NAMED: Final = 16
"""Characters of a side's name that there is room for beside its curve."""


def comparison(found: Comparison, places: Mapping[str, int]) -> str:
    """Return runs compared by results; `places` are the tasks in the report, by their ids."""
    labels = [side.label for side in found.sides]
    return "".join(
        (
            f"<h1>{markup(' · '.join(labels))}</h1>",
            _side_by_side(found),
            _at_equal_budget(found),
            _paired_tests(found),
            _paired_tasks(found, places),
        )
    )


def _about(name: str, text: str) -> str:
    return f'<h2>{markup(name)}</h2><p class="soft">{markup(text)}</p>'


def _numbered(found: Comparison) -> list[str]:
    """Return the sides' names with their numbers, by which a name cut short is still known."""
    return [f"{number} {side.label}" for number, side in enumerate(found.sides, 1)]


def _side_by_side(found: Comparison) -> str:
    left = f" {found.left_out} tasks that not all have are left out." if found.left_out else ""
    rows = [
        (
            markup(name),
            markup(side.policy),
            str(side.solved_tasks),
            interval(side.solved),
            interval(side.oracle),
            interval(side.credit),
            f"{side.candidates:,.0f}",
        )
        for name, side in zip(_numbered(found), found.sides, strict=True)
    ]
    heads = ("run", "policy", "tasks", "solved", "oracle", "partial", "candidates")
    return (
        _about(
            "Side by side",
            f"On the {len(found.tasks)} tasks of known truth that all have voted on.{left}",
        )
        + table(heads, rows)
        + '<p class="soft">In grey the 95 % bootstrap interval over tasks.</p>'
    )


def _at_equal_budget(found: Comparison) -> str:
    drawn = chart(
        Chart(
            "Solved at equal budget",
            "candidates of each search",
            tuple(
                estimates(
                    name if len(name) <= NAMED else f"{name[: NAMED - 1]}…",
                    [(one.budget, one.solved[at]) for one in found.budget],
                )
                for at, name in enumerate(_numbered(found))
            ),
            share=True,
            log=True,
        )
    )
    rows = [(f"{one.budget:,}", *map(interval, one.solved)) for one in found.budget]
    return (
        _about(
            "Solved at equal budget",
            "A vote over each search's first candidates; a search that ended earlier keeps its "
            "result.",
        )
        + f'<div class="charts">{drawn}</div>'
        + table(("candidates", *(side.label for side in found.sides)), rows)
    )


def _paired_tests(found: Comparison) -> str:
    heads = (
        "first", "second", "both", "only first", "only second", "neither", "difference", "p",
    )  # fmt: skip
    rows = [
        (
            markup(one.first),
            markup(one.second),
            str(one.both),
            str(one.only_first),
            str(one.only_second),
            str(one.neither),
            difference(one.difference),
            f"{one.p_value:.4f}",
        )
        for one in found.tests
    ]
    return _about(
        "McNemar's test",
        "Exact and two-sided, on the tasks that only one of the two solves. Difference: the second "
        "minus the first, in points.",
    ) + table(heads, rows)


def _paired_tasks(found: Comparison, places: Mapping[str, int]) -> str:
    heads = ("task", *(side.label for side in found.sides))
    differ = [one for one in found.tasks if len(set(one.solved)) > 1]
    alike = [one for one in found.tasks if len(set(one.solved)) == 1]
    parts = [
        _about(
            "Task by task",
            "✓ solved, ○ some candidate is right but the vote missed it, · not found. Tasks on "
            "which they differ come first.",
        )
    ]
    if differ:
        parts.append(table(heads, _marked(differ, places)))
    if alike:
        said = f"{len(alike):,} tasks that all of them solve, or none"
        rows = table(heads, _marked(alike, places))
        parts.append(f"<details><summary>{said}</summary>{rows}</details>")
    return "".join(parts)


def _marked(tasks: Iterable[PairedTask], places: Mapping[str, int]) -> list[Sequence[str]]:
    return [
        (
            link(places[one.task], one.task),
            *(_mark(*both) for both in zip(one.solved, one.oracle, strict=True)),
        )
        for one in tasks
    ]


def _mark(solved: bool, right: bool) -> str:
    if solved:
        return '<span class="good">✓</span>'
    return '<span class="half">○</span>' if right else '<span class="soft">·</span>'


def changed_settings(sides: Sequence[NamedSettings], about: str) -> str:
    """Return the settings in which runs, and settings files beside them, differ."""
    changes = setting_changes([side.settings for side in sides])
    if not changes:
        return f"{_about('Changed settings', about)}<p>they have the same settings</p>"
    rows = [
        (
            markup(change.field),
            *(
                "not set" if one is None else f'<span class="value">{markup(one)}</span>'
                for one in change.values
            ),
        )
        for change in changes
    ]
    heads = ("setting", *(side.name for side in sides))
    return _about("Changed settings", about) + table(heads, rows)
