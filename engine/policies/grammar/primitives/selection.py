"""Choosing objects: keep, remove, recolour or crop the ones a quality singles out."""

# numpy calls the results of operators on arrays Any:
# mypy: disable-error-code="no-any-return"

from collections.abc import Sequence

import numpy as np

from engine.policies.grammar.language import COLOUR, Values, choice, primitive
from engine.policies.grammar.primitives.grids import Grid, Quality, Thing, background, bounding_box
from engine.policies.grammar.primitives.objects import (
    at_border,
    bottoms,
    box_areas,
    colour_numbers,
    densities,
    find_objects,
    heights,
    hole_numbers,
    lefts,
    main_colours,
    mirror_left_right,
    mirror_up_down,
    mirrors,
    odd_cells,
    rights,
    same_colour,
    same_picture,
    same_shape,
    same_size,
    select,
    sizes,
    solid,
    square_boxes,
    tops,
    widths,
    window,
)
from engine.policies.grammar.problem import Problem

KINDS = ("colour4", "colour8", "mixed4", "mixed8", "whole colour")
OBJECTS = choice(*KINDS)
OBJECTS_OR_HOLES = choice(*KINDS, "hole")
QUALITIES = (
    sizes,
    heights,
    widths,
    box_areas,
    densities,
    colour_numbers,
    hole_numbers,
    mirror_left_right,
    mirror_up_down,
    mirrors,
    tops,
    lefts,
    bottoms,
    rights,
    solid,
    square_boxes,
    at_border,
    main_colours,
    odd_cells,
    same_colour,
    same_shape,
    same_picture,
    same_size,
)
QUALITY = choice(*QUALITIES)
RANKS = ("largest", "smallest", "unique", "commonest")
RANK = choice(*RANKS, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
_MAX_OBJECTS = 40


def _objects(problem: Problem, kind: str) -> list[list[Thing]] | None:
    found = [find_objects(grid, kind) for grid in problem.demos]
    return found if all(0 < len(things) <= _MAX_OBJECTS for things in found) else None


def _ranks(values: list[list[float]]) -> list[object]:
    numbers = {v for row in values for v in row if isinstance(v, int) and 0 <= v <= 9}
    return [*RANKS, *sorted(numbers)]


def _chosen(values: list[float], rank: object) -> list[bool]:
    if rank == "unique":
        alone = [v for v in values if values.count(v) == 1]
        return [bool(alone) and v == alone[0] for v in values]
    wanted: object = rank
    if rank == "largest":
        wanted = max(values)
    elif rank == "smallest":
        wanted = min(values)
    elif rank == "commonest":
        wanted = max(values, key=values.count)
    return [v == wanted for v in values]


def _choices(
    problem: Problem, kind: str, found: list[list[Thing]]
) -> tuple[list[tuple[Quality, object]], np.ndarray]:
    """All (quality, rank) pairs, and whether each chooses each object: bool, (pairs, objects)."""
    known = problem.notes.get(kind)
    if known is None:
        pairs: list[tuple[Quality, object]] = []
        chosen: list[list[bool]] = []
        for quality in QUALITIES:
            values = [quality(grid, seen) for grid, seen in zip(problem.demos, found, strict=True)]
            for rank in _ranks(values):
                pairs.append((quality, rank))
                chosen.append([one for row in values for one in _chosen(row, rank)])
        known = problem.notes[kind] = pairs, np.array(chosen)
    return known


def _best(
    pairs: list[tuple[Quality, object]], scores: Sequence[float], above: float
) -> list[tuple[Quality, object]]:
    """Return the pairs of the highest score, if that is more than `above`."""
    best: list[tuple[Quality, object]] = []
    top = above
    for pair, score in zip(pairs, scores, strict=True):
        if score > top + 1e-9:
            top, best = score, [pair]
        elif score > top - 1e-9:
            best.append(pair)
    return best


def _separating(
    problem: Problem, kind: str, found: list[list[Thing]], wanted: list[list[bool]]
) -> list[tuple[Quality, object]]:
    """Return the (quality, rank) pairs that choose the wanted objects best, all equally good."""
    if not any(map(any, wanted)) or all(map(all, wanted)):
        return []
    pairs, chosen = _choices(problem, kind, found)
    agrees = (chosen == np.concatenate(wanted)).astype(np.int64)
    scores, start = np.zeros(len(pairs)), 0
    for row in wanted:
        scores += agrees[:, start : start + len(row)].sum(axis=1) / len(row)
        start += len(row)
    return _best(pairs, scores.tolist(), -1.0)


def fates(problem: Problem, found: list[list[Thing]]) -> list[list[int | None]]:
    """Per object: the one colour its cells have in the target, -1 where unchanged, else None."""
    rows: list[list[int | None]] = []
    for grid, target, things in zip(problem.demos, problem.targets, found, strict=True):
        row: list[int | None] = []
        for thing in things:
            after, before = window(target, thing)[thing["mask"]], window(grid, thing)[thing["mask"]]
            if (after == before).all():
                row.append(-1)
            else:
                row.append(int(after[0]) if (after == after[0]).all() else None)
        rows.append(row)
    return rows


def _suggest_fate(problem: Problem, drawn: Values, action: str) -> Sequence[Values]:
    if problem.later:
        problem = problem.glimpse
    found = _objects(problem, drawn[0]) if problem.same_size else None
    if found is None:
        return ()
    after = fates(problem, found)
    if action == "keep":
        wanted = [[fate == -1 for fate in row] for row in after]
        return [(drawn[0], *pair) for pair in _separating(problem, drawn[0], found, wanted)]
    if action == "remove":
        wanted = [
            [fate == background(grid) for fate in row]
            for grid, row in zip(problem.demos, after, strict=True)
        ]
        return [(drawn[0], *pair) for pair in _separating(problem, drawn[0], found, wanted)]
    colours = sorted({fate for row in after for fate in row if fate is not None and fate >= 0})
    options: list[Values] = []
    for colour in colours:
        wanted = [[fate == colour for fate in row] for row in after]
        pairs = _separating(problem, drawn[0], found, wanted)
        options.extend((drawn[0], *pair, colour) for pair in pairs)
    return options


def _suggest_keep(problem: Problem, drawn: Values) -> Sequence[Values]:
    return _suggest_fate(problem, drawn, "keep")


def _suggest_remove(problem: Problem, drawn: Values) -> Sequence[Values]:
    return _suggest_fate(problem, drawn, "remove")


def _suggest_recolour(problem: Problem, drawn: Values) -> Sequence[Values]:
    return _suggest_fate(problem, drawn, "recolour")


@primitive(OBJECTS, QUALITY, RANK, suggest=_suggest_keep)
def keep_objects(grid: Grid, kind: str, quality: Quality, rank: str) -> Grid:
    """Keep the objects a quality singles out, remove everything else."""
    kept = np.full_like(grid, background(grid))
    for thing in select(grid, find_objects(grid, kind), quality, rank):
        window(kept, thing)[thing["mask"]] = window(grid, thing)[thing["mask"]]
    return kept


@primitive(OBJECTS, QUALITY, RANK, suggest=_suggest_remove)
def remove_objects(grid: Grid, kind: str, quality: Quality, rank: str) -> Grid:
    """Remove the objects a quality singles out."""
    left = grid.copy()
    for thing in select(grid, find_objects(grid, kind), quality, rank):
        window(left, thing)[thing["mask"]] = background(grid)
    return left


@primitive(OBJECTS_OR_HOLES, QUALITY, RANK, COLOUR, weight=2.0, suggest=_suggest_recolour)
def recolour_objects(grid: Grid, kind: str, quality: Quality, rank: str, colour: int) -> Grid:
    """Give the objects a quality singles out one colour."""
    painted = grid.copy()
    for thing in select(grid, find_objects(grid, kind), quality, rank):
        window(painted, thing)[thing["mask"]] = colour
    return painted


@primitive(OBJECTS, choice(1, 2, 3, 4))
def remove_small_objects(grid: Grid, kind: str, limit: int) -> Grid:
    """Remove objects of at most so many cells."""
    left = grid.copy()
    for thing in find_objects(grid, kind):
        if thing["size"] <= limit:
            window(left, thing)[thing["mask"]] = background(grid)
    return left


def _suggest_crop(problem: Problem, drawn: Values, only_object: bool) -> Sequence[Values]:
    kind = drawn[0]
    found = _objects(problem, kind)
    if found is None:
        return ()
    hits = [
        [
            np.array_equal(thing["patch"] if only_object else window(grid, thing), target)
            for thing in things
        ]
        for grid, target, things in zip(problem.demos, problem.targets, found, strict=True)
    ]
    if not any(any(row) for row in hits):
        return ()
    pairs, chosen = _choices(problem, kind, found)
    scores, start = np.zeros(len(pairs), dtype=np.int64), 0
    for row in hits:
        here = chosen[:, start : start + len(row)]
        scores += here.any(axis=1) & np.array(row)[here.argmax(axis=1)]
        start += len(row)
    return [(kind, *pair) for pair in _best(pairs, scores.tolist(), 1)]


def _suggest_box(problem: Problem, drawn: Values) -> Sequence[Values]:
    return _suggest_crop(problem, drawn, only_object=False)


def _suggest_object(problem: Problem, drawn: Values) -> Sequence[Values]:
    return _suggest_crop(problem, drawn, only_object=True)


@primitive(OBJECTS_OR_HOLES, QUALITY, RANK, size="changes", weight=3.0, suggest=_suggest_box)
def crop_to_object(grid: Grid, kind: str, quality: Quality, rank: str) -> Grid:
    """Keep the box of the first object a quality singles out."""
    return window(grid, select(grid, find_objects(grid, kind), quality, rank)[0])


@primitive(OBJECTS, QUALITY, RANK, size="changes", weight=2.0, suggest=_suggest_object)
def cut_out_object(grid: Grid, kind: str, quality: Quality, rank: str) -> Grid:
    """Keep the first object a quality singles out, alone on background."""
    return select(grid, find_objects(grid, kind), quality, rank)[0]["patch"]


@primitive(OBJECTS, choice("right", "below"), QUALITY, size="changes", weight=0.5)
def line_up_objects(grid: Grid, kind: str, direction: str, quality: Quality) -> Grid:
    """Join all objects' pictures in the order of a quality."""
    things = find_objects(grid, kind)
    values = quality(grid, things)
    patches = [things[i]["patch"] for i in sorted(range(len(things)), key=lambda i: values[i])]
    return np.hstack(patches) if direction == "right" else np.vstack(patches)


@primitive(OBJECTS, QUALITY, size="changes", weight=0.5)
def stack_objects(grid: Grid, kind: str, quality: Quality) -> Grid:
    """Lay all objects' pictures on top of each other, centred, in the order of a quality."""
    things = find_objects(grid, kind)
    values = quality(grid, things)
    empty = background(grid)
    height = max(thing["mask"].shape[0] for thing in things)
    width = max(thing["mask"].shape[1] for thing in things)
    stacked = np.full((height, width), empty)
    for i in sorted(range(len(things)), key=lambda i: values[i]):
        patch = things[i]["patch"]
        top, left = (height - patch.shape[0]) // 2, (width - patch.shape[1]) // 2
        place = stacked[top : top + patch.shape[0], left : left + patch.shape[1]]
        place[:] = np.where(patch == empty, place, patch)
    return stacked


@primitive(OBJECTS, size="changes", weight=0.5)
def one_cell_per_object(grid: Grid, kind: str) -> Grid:
    """Shrink every object to one cell, keeping which is above or left of which."""
    things = find_objects(grid, kind)
    rows = sorted({thing["top"] for thing in things})
    columns = sorted({thing["left"] for thing in things})
    small = np.full((len(rows), len(columns)), background(grid))
    for thing in things:
        small[rows.index(thing["top"]), columns.index(thing["left"])] = thing["colour"]
    return small


@primitive(COLOUR, COLOUR, size="changes", weight=0.5)
def crop_around_two_colours(grid: Grid, one: int, other: int) -> Grid:
    """Keep the box around all cells of two colours."""
    top, bottom, left, right = bounding_box((grid == one) | (grid == other))
    return grid[top:bottom, left:right]
