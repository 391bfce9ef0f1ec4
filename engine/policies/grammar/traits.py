"""Traits of a problem: what a trained model looks at before it chooses a step.

Each trait compares one demonstration grid, as it is, with the target it should become; a problem's
trait is the mean over its demonstrations, 0..1. Colours have roles of their own, so that what is
learned of one colour serves every other that plays the same part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.policies.grammar.primitives.grids import (
    background,
    bounding_box,
    flip_left_right,
    flip_up_down,
)
from engine.policies.grammar.primitives.neighbour_features import (
    between_equals_across,
    between_equals_down,
    filled_beside,
    next_above,
    next_below,
    next_left,
    next_right,
)
from engine.policies.grammar.primitives.objects import find_objects, label
from engine.policies.grammar.primitives.panels import separators, spans
from engine.policies.grammar.primitives.region_features import enclosed
from engine.policies.grammar.problem import Problem

Named = Iterator[tuple[str, float]]

_MOSTLY = 0.95
_WINDOWS = 60_000
"""Cells of all windows of a target's size in a grid, above which they are not looked through."""
_MANY_OBJECTS = 25


def _size_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    (height, width), (rows, columns) = grid.shape, target.shape
    yield "same size", grid.shape == target.shape
    yield "smaller", rows * columns < height * width
    yield "larger", rows * columns > height * width
    yield "one cell", rows * columns == 1
    yield "target square", rows == columns
    yield "grid square", height == width
    yield "sides exchanged", (rows, columns) == (width, height) and height != width
    for factor in (2, 3, 4, 5):
        yield f"rows x {factor}", rows == factor * height
        yield f"columns x {factor}", columns == factor * width
        yield f"rows / {factor}", height in (rows * factor, rows * factor + factor - 1)
        yield f"columns / {factor}", width in (columns * factor, columns * factor + factor - 1)
    yield "one row", rows == 1
    yield "one column", columns == 1
    yield "rows kept", rows == height
    yield "columns kept", columns == width
    yield "sides squared", rows == height * height and columns == width * width
    yield "tiny square", rows == columns <= 3 and rows < height and columns < width
    yield "small grid", height * width <= 25
    yield "large grid", height * width > 200


def _colour_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    had = np.bincount(grid.ravel(), minlength=10)
    has = np.bincount(target.ravel(), minlength=10)
    before, after = int((had > 0).sum()), int((has > 0).sum())
    yield "colour appears", bool(((has > 0) & (had == 0)).any())
    yield "colour vanishes", bool(((has == 0) & (had > 0)).any())
    for count in (2, 3, 4):
        yield f"{count} colours", before == count
    yield "many colours", before > 4
    for count in (1, 2, 3):
        yield f"target of {count} colours", after == count
    yield "target of many colours", after > 3
    yield "counts kept", bool((had == has).all())
    yield "counts kept but black", bool((had[1:] == has[1:]).all())
    yield "no black", bool(had[0] == 0)
    yield "target without black", bool(has[0] == 0)
    yield "mostly black", bool(had[0] > 0.5 * grid.size)
    yield "colours as sides", before - 1 in target.shape
    yield "sparse", bool((grid != background(grid)).mean() < 0.1)


def _symmetry_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    for name, each in (("grid", grid), ("target", target)):
        yield f"{name} mirrored across", np.array_equal(each, flip_left_right(each))
        yield f"{name} mirrored down", np.array_equal(each, flip_up_down(each))
    yield "target mirrored diagonally", np.array_equal(target, target.T)
    yield "target rows alike", bool((target == target[:1]).all())
    yield "target columns alike", bool((target == target[:, :1]).all())


_CHANGES = (
    "nothing differs",
    "few differ",
    "some differ",
    "many differ",
    "most differ",
    "only background is painted",
    "only background is left",
    "content is recoloured",
    "one colour changes",
    "to one colour",
    "each colour to one",
    "a colour changes wholly",
    "few components",
    "enclosed is painted",
    "all enclosed is painted",
    "beside content",
    "between equals",
    "as above",
    "as below",
    "as left",
    "as right",
    "as some side",
)


def _change_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    found = dict.fromkeys(_CHANGES, 0.0)
    if grid.shape == target.shape:
        found |= _changes(grid, target)
    yield from found.items()


def _changes(grid: np.ndarray, target: np.ndarray) -> dict[str, float]:
    differs = grid != target
    share = float(differs.mean())
    found: dict[str, float] = {
        "nothing differs": share == 0,
        "few differ": 0 < share < 0.05,
        "some differ": 0.05 <= share < 0.2,
        "many differ": 0.2 <= share < 0.5,
        "most differ": share >= 0.5,
    }
    if share == 0:
        return found
    empty = background(grid)
    old, new = grid[differs], target[differs]
    pairs = np.zeros((10, 10), dtype=bool)
    pairs[grid.ravel(), target.ravel()] = True
    moved = pairs.any(1) & ~pairs.diagonal()
    found["only background is painted"] = bool((old == empty).all())
    found["only background is left"] = bool((new == empty).all())
    found["content is recoloured"] = bool(((old != empty) & (new != empty)).all())
    found["one colour changes"] = bool((old == old[0]).all())
    found["to one colour"] = bool((new == new[0]).all())
    found["each colour to one"] = bool((pairs.sum(1) <= 1).all())
    found["a colour changes wholly"] = bool(moved.any())
    if (old == empty).all() and (target != empty).any():
        inside = enclosed(grid) == 2
        found["enclosed is painted"] = bool(inside[differs].all())
        found["all enclosed is painted"] = np.array_equal(inside, differs)
        found["beside content"] = float((filled_beside(grid)[differs] > 0).mean() > _MOSTLY)
        between = between_equals_across(grid) | between_equals_down(grid)
        found["between equals"] = float((between[differs] > 0).mean() > _MOSTLY)
        sides = [
            seen(grid)[differs] == new for seen in (next_above, next_below, next_left, next_right)
        ]
        for name, same in zip(("as above", "as below", "as left", "as right"), sides, strict=True):
            found[name] = float(same.mean() > _MOSTLY)
        found["as some side"] = float(np.logical_or.reduce(sides).mean() > _MOSTLY)
    return found


def _crop_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    (height, width), (rows, columns) = grid.shape, target.shape
    content = grid != background(grid)
    smaller = grid.shape != target.shape and rows <= height and columns <= width
    boxed = cut = False
    if smaller:
        if content.any():
            top, bottom, left, right = bounding_box(content)
            boxed = (bottom - top, right - left) == target.shape
        windows = sliding_window_view(grid, target.shape)
        cut = windows.size < _WINDOWS and bool((windows == target).all((2, 3)).any())
    yield "target has the content's size", boxed
    yield "target is a window", cut
    larger = grid.shape != target.shape and rows >= height and columns >= width
    yield (
        "grid is the target's first corner",
        larger and np.array_equal(target[:height, :width], grid),
    )
    yield (
        "grid is the target's last corner",
        larger and np.array_equal(target[rows - height :, columns - width :], grid),
    )


def _panel_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    try:
        colour, lines, columns = separators(grid)
    except ValueError:
        colour, lines, columns = background(grid), [], []
    divided = colour != background(grid) and bool(lines or columns)
    down = len(spans(lines, grid.shape[0])) if divided else 0
    across = len(spans(columns, grid.shape[1])) if divided else 0
    yield "separated", divided
    yield "a cell per panel", divided and (down, across) == target.shape
    yield "two panels", down * across == 2
    yield "many panels", down * across > 4
    yield "panels in a square", divided and down == across


_OBJECTS = (
    "objects of one size",
    "an object has the target's size",
    "an object nearly has the target's size",
    "objects of one colour",
    "a solid object",
    "only dots",
    "objects as sides",
    "a large object",
    "one or two dots",
)


def _object_traits(grid: np.ndarray, target: np.ndarray) -> Named:
    _, count = label(grid, True, False)
    things = find_objects(grid, "colour8") if count <= _MANY_OBJECTS else []
    for number in (1, 2, 3):
        yield f"{number} objects", count == number
    yield "several objects", 4 <= count <= 8
    yield "many objects", count > 8
    found = dict.fromkeys(_OBJECTS, 0.0)
    if things:
        sizes = [thing["size"] for thing in things]
        shapes = [thing["mask"].shape for thing in things]
        rows, columns = target.shape
        dots = sizes.count(1)
        found = {
            "objects of one size": len(set(shapes)) == 1,
            "an object has the target's size": target.shape in shapes,
            "an object nearly has the target's size": (rows - 2, columns - 2) in shapes
            or (rows + 2, columns + 2) in shapes,
            "objects of one colour": len({thing["colour"] for thing in things}) == 1,
            "a solid object": any(
                s == t["mask"].size > 8 for s, t in zip(sizes, things, strict=True)
            ),
            "only dots": dots == count,
            "objects as sides": count in target.shape,
            "a large object": max(sizes) > 0.25 * grid.size,
            "one or two dots": dots in (1, 2),
        }
    yield from found.items()


_GROUPS: tuple[Callable[[np.ndarray, np.ndarray], Named], ...] = (
    _size_traits,
    _colour_traits,
    _symmetry_traits,
    _change_traits,
    _crop_traits,
    _panel_traits,
    _object_traits,
)

TRAITS = tuple(
    name
    for group in _GROUPS
    for name, _ in group(np.zeros((2, 2), dtype=np.int64), np.ones((2, 2), dtype=np.int64))
)
"""The traits' names, in the order of the vector `traits` returns, a constant 1 behind them."""


def traits(problem: Problem) -> NDArray[np.float32]:
    """Return a problem's traits, float32 of shape (len(TRAITS) + 1,), the last being 1."""
    rows = [
        [float(value) for group in _GROUPS for _, value in group(grid, target)]
        for grid, target in zip(problem.demos, problem.targets, strict=True)
    ]
    return np.append(np.mean(rows, axis=0), 1.0).astype(np.float32)


ROLES = (
    "in the grid",
    "in the target",
    "appears",
    "vanishes",
    "background",
    "main",
    "rarest",
    "is changed",
    "is changed to",
    "most changed",
    "most changed to",
    "count kept",
    "black",
    "seen",
)
"""The parts a colour can play, in the columns of `roles`."""


def roles(problem: Problem) -> NDArray[np.float32]:
    """Return how far each colour plays each part, float32 of shape (10, len(ROLES)), 0..1."""
    parts = np.zeros((10, len(ROLES)), dtype=np.float32)
    column = {name: place for place, name in enumerate(ROLES)}
    for grid, target in zip(problem.demos, problem.targets, strict=True):
        had = np.bincount(grid.ravel(), minlength=10)
        has = np.bincount(target.ravel(), minlength=10)
        parts[:, column["in the grid"]] += had > 0
        parts[:, column["in the target"]] += has > 0
        parts[:, column["appears"]] += (has > 0) & (had == 0)
        parts[:, column["vanishes"]] += (had > 0) & (has == 0)
        empty = background(grid)
        parts[empty, column["background"]] += 1
        content = had.copy()
        content[empty] = 0
        if content.any():
            parts[content.argmax(), column["main"]] += 1
            parts[np.where(content > 0, content, 9999).argmin(), column["rarest"]] += 1
        if grid.shape == target.shape:
            differs = grid != target
            if differs.any():
                changed = np.bincount(grid[differs], minlength=10)
                into = np.bincount(target[differs], minlength=10)
                parts[:, column["is changed"]] += changed > 0
                parts[:, column["is changed to"]] += into > 0
                parts[changed.argmax(), column["most changed"]] += 1
                parts[into.argmax(), column["most changed to"]] += 1
            parts[:, column["count kept"]] += (had == has) & (had > 0)
    parts /= len(problem.demos)
    parts[0, column["black"]] = 1
    parts[list(problem.colours), column["seen"]] = 1
    return parts
