"""Diversity of what a search tries, and the warnings when a run collapses.

The paper's figure is the mean pairwise embedding distance per task: with learning it falls on
solved tasks (.25 → .13) and should hold on unsolved ones (.31 → .27).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from engine.analysis.estimates import Estimate, estimate
from engine.analysis.record import SearchRecord

Group: TypeAlias = Literal["all", "solved", "unsolved"]

COLLAPSED_TO: Final = 0.5
"""Share of the first iteration's distance on unsolved tasks below which a run has collapsed."""
FEW_PROGRAMS: Final = 0.1
FEW_OUTPUTS: Final = 0.02
"""Shares of distinct programs, and of distinct outputs, below which a search repeats itself."""


@dataclass(frozen=True, slots=True)
class GroupDiversity:
    """Diversity over a group of searches: means over tasks, None where none has enough to tell."""

    group: Group
    """Which tasks: all of them, those solved, or those of known truth that are not."""
    tasks: int
    """How many tasks are in the group."""
    distance: Estimate | None
    """Mean pairwise embedding distance, 1 - cosine, of 16 programs drawn evenly from a search."""
    programs: Estimate | None
    """Share of distinct sources among candidates with a program."""
    outputs: Estimate | None
    """Share of distinct joint results among candidates that ran."""


@dataclass(frozen=True, slots=True)
class RunWarning:
    """Something of a run that its owner should look at."""

    name: Literal["diversity collapse", "repeated programs", "repeated outputs"]
    """Which warning it is."""
    iteration: int
    """The iteration it is about, from 0."""
    text: str
    """What it says, in a sentence."""


def group_diversity(records: Sequence[SearchRecord]) -> tuple[GroupDiversity, ...]:
    """Return the diversity over all tasks, and over solved and unsolved ones apart.

    Tasks of unknown truth are in the first group only.
    """
    groups: dict[Group, list[SearchRecord]] = {
        "all": list(records),
        "solved": [record for record in records if record.solved is True],
        "unsolved": [record for record in records if record.solved is False],
    }
    return tuple(_group(name, held) for name, held in groups.items() if held)


def _group(name: Group, records: Sequence[SearchRecord]) -> GroupDiversity:
    return GroupDiversity(
        group=name,
        tasks=len(records),
        distance=estimate([r.distance for r in records if r.distance is not None]),
        programs=estimate([r.distinct_programs / r.programs for r in records if r.programs]),
        outputs=estimate([r.distinct_outputs / r.outputs for r in records if r.outputs]),
    )


def diversity_warnings(
    iterations: Sequence[tuple[int, Sequence[GroupDiversity]]],
) -> tuple[RunWarning, ...]:
    """Return what to warn of: iterations by index with their diversity, in order.

    *diversity collapse*: the distance on unsolved tasks has fallen below COLLAPSED_TO of the first
    iteration's. *repeated programs*, *repeated outputs*: the share of distinct ones on unsolved
    tasks is below FEW_PROGRAMS, FEW_OUTPUTS. Where no truth is known, all tasks stand for the unsolved.
    """
    found: list[RunWarning] = []
    first: float | None = None
    for index, groups in iterations:
        by_name = {group.group: group for group in groups}
        watched = by_name.get("unsolved")
        if watched is None and "solved" not in by_name:
            watched = by_name.get("all")
        if watched is None:
            continue
        if watched.distance is not None:
            now = watched.distance.value
            if first is None:
                first = now
            elif now < COLLAPSED_TO * first:
                found.append(
                    RunWarning(
                        "diversity collapse",
                        index,
                        f"iteration {index + 1}: programs on tasks it does not solve are "
                        f"{now:.3f} apart, {first:.3f} at first; it no longer tries other ways",
                    )
                )
        found += _repeated(index, watched)
    return tuple(found)


def _repeated(index: int, watched: GroupDiversity) -> list[RunWarning]:
    found = []
    if watched.programs is not None and watched.programs.value < FEW_PROGRAMS:
        found.append(
            RunWarning(
                "repeated programs",
                index,
                f"iteration {index + 1}: of the programs on tasks it does not solve only "
                f"{100 * watched.programs.value:.1f} % are distinct",
            )
        )
    if watched.outputs is not None and watched.outputs.value < FEW_OUTPUTS:
        found.append(
            RunWarning(
                "repeated outputs",
                index,
                f"iteration {index + 1}: of the results on tasks it does not solve only "
                f"{100 * watched.outputs.value:.1f} % are distinct",
            )
        )
    return found
