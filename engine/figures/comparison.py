"""Several runs as tables and curves: side by side, task by task, pooled, by model size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from engine.figures.figure import Figure, Heading, Role, difference, estimated, interval
from engine.figures.numbers import count, percent, short

if TYPE_CHECKING:
    from engine.analysis import Comparison, Pool, ScalingPoint, SettingChange

_ROLES: Final[tuple[Role, ...]] = ("good", "warn", "accent", "primary", "bad", "muted")
UNSET: Final = "not set"
SETTINGS_OF_RUNS: Final = "Settings of the runs that are not the same in all of them."
SETTINGS_ONLY: Final = (
    "There is a settings file among them, so only settings are compared; what a file leaves out has "
    "its default."
)


def results_missing(reason: str) -> str:
    """Return why of some runs only the settings are compared."""
    return f"Results cannot be compared: {reason}. Only settings are."


def comparison_figures(found: Comparison) -> tuple[Figure, ...]:
    """Return a comparison's figures."""
    names = [side.run for side in found.sides]
    return (*result_figures(found), changed_settings(names, found.settings, SETTINGS_OF_RUNS))


def result_figures(found: Comparison) -> tuple[Figure, ...]:
    """Return a comparison's figures without the settings."""
    return (side_by_side(found), at_equal_budget(found), paired_tests(found), paired_tasks(found))


def side_by_side(found: Comparison) -> Figure:
    """Return every side on the shared tasks."""
    left = f" {found.left_out} tasks that not all have are left out." if found.left_out else ""
    return Figure(
        name="side by side",
        about=f"On the {len(found.tasks)} tasks of known truth that all have voted on.{left} In "
        "brackets the 95 % bootstrap interval over tasks.",
        headings=(
            Heading("run", right=False),
            Heading("policy", right=False, drop=3),
            Heading("tasks", drop=2),
            Heading("solved"),
            Heading("oracle"),
            Heading("partial", drop=1),
            Heading("candidates", drop=2),
        ),
        rows=tuple(
            (
                side.label,
                side.policy,
                str(side.solved_tasks),
                interval(side.solved),
                interval(side.oracle),
                interval(side.credit),
                count(side.candidates),
            )
            for side in found.sides
        ),
    )


def at_equal_budget(found: Comparison) -> Figure:
    """Return what each side solves with as many candidates."""
    names = [side.label for side in found.sides]
    return Figure(
        name="solved at equal budget",
        about="A vote over each search's first candidates; a search that ended earlier keeps its "
        "result.",
        headings=(Heading("candidates"), *(Heading(name) for name in names)),
        rows=tuple(
            (count(one.budget), *(interval(value) for value in one.solved)) for one in found.budget
        ),
        lines=tuple(
            estimated(
                name,
                [(one.budget, one.solved[at]) for one in found.budget],
                _ROLES[at % len(_ROLES)],
            )
            for at, name in enumerate(names)
        ),
        x_name="candidates of each search",
        log_x=True,
    )


def paired_tests(found: Comparison) -> Figure:
    """Return McNemar's exact test for each two sides."""
    return Figure(
        name="McNemar's test",
        about="Exact and two-sided, on the tasks that only one of the two solves. Difference: the "
        "second minus the first, in points.",
        headings=(
            Heading("first", right=False),
            Heading("second", right=False),
            Heading("both", drop=2),
            Heading("only first"),
            Heading("only second"),
            Heading("neither", drop=2),
            Heading("difference", drop=1),
            Heading("p"),
        ),
        rows=tuple(
            (
                one.first,
                one.second,
                str(one.both),
                str(one.only_first),
                str(one.only_second),
                str(one.neither),
                difference(one.difference),
                f"{one.p_value:.4f}",
            )
            for one in found.tests
        ),
    )


def paired_tasks(found: Comparison) -> Figure:
    """Return every shared task, those on which the sides differ first."""
    ordered = sorted(found.tasks, key=lambda one: len(set(one.solved)) == 1)
    return Figure(
        name="task by task",
        about="✓ solved, ○ some candidate is right but the vote missed it, · not found. Tasks on "
        "which they differ come first.",
        headings=(
            Heading("task", right=False, tasks=True),
            *(Heading(side.label) for side in found.sides),
        ),
        rows=tuple(
            (
                task.task,
                *(
                    "✓" if solved else "○" if right else "·"
                    for solved, right in zip(task.solved, task.oracle, strict=True)
                ),
            )
            for task in ordered
        ),
    )


def changed_settings(names: Sequence[str], found: Sequence[SettingChange], about: str) -> Figure:
    """Return the settings in which sides of some names differ."""
    return Figure(
        name="changed settings",
        about=about,
        headings=(
            Heading("setting", right=False),
            *(Heading(name, right=False) for name in names),
        ),
        rows=tuple(
            (change.field, *(UNSET if one is None else one for one in change.values))
            for change in found
        ),
        empty="they have the same settings",
    )


def pooled(pool: Pool) -> Figure:
    """Return a pool and what each member contributes to it."""
    members = [
        (
            f"{one.run}:{one.iteration + 1}",
            str(one.alone_tasks),
            percent(one.alone_tasks / pool.tasks),
            str(one.without_tasks),
            f"{one.contribution:+d}",
            str(one.only),
        )
        for one in pool.members
    ]
    whole = ("together", str(pool.solved_tasks), interval(pool.solved), "", "", "")
    return Figure(
        name="pooled",
        about=f"One vote ({pool.formula}) over all candidates on {pool.tasks} shared tasks; oracle "
        f"{interval(pool.oracle)}, partial {interval(pool.credit)}. Without: solved by the others; "
        "only: right candidates nobody else has.",
        headings=(
            Heading("member", right=False),
            Heading("tasks"),
            Heading("solved"),
            Heading("without"),
            Heading("adds"),
            Heading("only", drop=1),
        ),
        rows=(*members, whole),
    )


def model_sizes(points: tuple[ScalingPoint, ...]) -> Figure:
    """Return what runs of several policies solve against the size of their models."""
    sized = [(one.parameters, one.solved) for one in points if one.parameters is not None]
    line = estimated("solved", sized, "good")
    return Figure(
        name="model size",
        about="Each run's latest voted iteration, or the one asked for; sizes as the models' names "
        "say them.",
        headings=(
            Heading("run", right=False),
            Heading("model", right=False, drop=1),
            Heading("parameters"),
            Heading("tasks", drop=2),
            Heading("candidates", drop=3),
            Heading("solved"),
            Heading("oracle", drop=1),
        ),
        rows=tuple(
            (
                f"{one.run}:{one.iteration + 1}",
                one.model,
                "–" if one.parameters is None else short(one.parameters),
                str(one.tasks),
                count(one.candidates),
                interval(one.solved),
                interval(one.oracle),
            )
            for one in points
        ),
        lines=(line,) if len(line.points) > 1 else (),
        x_name="parameters",
        log_x=True,
    )
