"""Objects: connected pieces of a grid, what can be said of them, and choosing among them."""

import numpy as np

from engine.policies.grammar.language import remember
from engine.policies.grammar.primitives.grids import Grid, background

SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))
CORNERS = ((1, 1), (1, -1), (-1, 1), (-1, -1))


@remember
def label(grid: Grid, diagonal: bool, mixed: bool) -> tuple[Grid, int]:
    """Number the connected pieces of non-background cells from 1, in reading order.

    `diagonal`: cells touch at corners too; `mixed`: a piece may have several colours.
    """
    height, width = grid.shape
    empty = background(grid)
    cells = grid.tolist()
    numbers = [[0] * width for _ in range(height)]
    directions = SIDES + CORNERS if diagonal else SIDES
    count = 0
    for row in range(height):
        for column in range(width):
            if cells[row][column] == empty or numbers[row][column]:
                continue
            count += 1
            numbers[row][column] = count
            waiting = [(row, column)]
            while waiting:
                r, c = waiting.pop()
                for down, right in directions:
                    y, x = r + down, c + right
                    if 0 <= y < height and 0 <= x < width and not numbers[y][x]:
                        if cells[y][x] != empty and (mixed or cells[y][x] == cells[r][c]):
                            numbers[y][x] = count
                            waiting.append((y, x))
    return np.array(numbers), count


def describe(grid: Grid, mask: Grid) -> dict:
    """One object: its box (ends exclusive), mask and patch inside it, size and colours."""
    rows, columns = np.nonzero(mask)
    top, bottom = int(rows.min()), int(rows.max()) + 1
    left, right = int(columns.min()), int(columns.max()) + 1
    inside = mask[top:bottom, left:right]
    counts = np.bincount(grid[rows, columns], minlength=10)
    return {
        "top": top,
        "bottom": bottom,
        "left": left,
        "right": right,
        "mask": inside,
        "patch": np.where(inside, grid[top:bottom, left:right], background(grid)),
        "size": len(rows),
        "colour": int(counts.argmax()),
        "counts": counts,
    }


@remember
def find_objects(grid: Grid, kind: str) -> list:
    """The objects of a grid in reading order.

    "colour4" and "colour8": connected cells of one colour, by sides or also by corners; "mixed4"
    and "mixed8": connected cells of any colours; "whole colour": all cells of a colour.
    """
    if kind == "whole colour":
        present = [c for c in range(10) if c != background(grid)]
        return [describe(grid, grid == c) for c in present if (grid == c).any()]
    numbers, count = label(grid, kind.endswith("8"), kind.startswith("mixed"))
    if count > 120:
        raise ValueError("too many objects")
    return [describe(grid, numbers == number) for number in range(1, count + 1)]


def hole_count(mask: Grid) -> int:
    """How many separate holes a shape has."""
    outside = np.pad(mask, 1) == 0
    return label(np.where(outside, 1, 0), False, False)[1] - 1


def shape_number(mask: Grid) -> int:
    """A number that is the same for equal shapes."""
    number = 0
    for bit in mask.ravel().tolist():
        number = (number * 2 + int(bit) + 1) % 99991
    return (number * 31 + mask.shape[1]) % 99991


def count_each(values: list) -> list:
    """How often each value occurs in its own list."""
    return [values.count(value) for value in values]


def measure(grid: Grid, things: list, quality: str) -> list:
    """One number per object for a quality that objects can be chosen by."""
    if quality in ("top", "left", "bottom", "right", "size", "colour"):
        return [thing[quality] for thing in things]
    if quality == "height":
        return [thing["bottom"] - thing["top"] for thing in things]
    if quality == "width":
        return [thing["right"] - thing["left"] for thing in things]
    if quality == "box area":
        return [thing["mask"].size for thing in things]
    if quality == "density":
        return [thing["size"] / thing["mask"].size for thing in things]
    if quality == "solid":
        return [int(thing["size"] == thing["mask"].size) for thing in things]
    if quality == "square box":
        return [int(thing["mask"].shape[0] == thing["mask"].shape[1]) for thing in things]
    if quality == "holes":
        return [hole_count(thing["mask"]) for thing in things]
    if quality == "colours":
        return [int((thing["counts"] > 0).sum()) for thing in things]
    if quality == "odd cells":
        return [int(thing["size"] - thing["counts"].max()) for thing in things]
    if quality == "mirror left-right":
        return [int((thing["patch"] == thing["patch"][:, ::-1]).all()) for thing in things]
    if quality == "mirror up-down":
        return [int((thing["patch"] == thing["patch"][::-1]).all()) for thing in things]
    if quality == "mirrors":
        across = measure(grid, things, "mirror left-right")
        down = measure(grid, things, "mirror up-down")
        return [a + d for a, d in zip(across, down)]
    if quality == "at border":
        height, width = grid.shape
        return [
            int(t["top"] == 0 or t["left"] == 0 or t["bottom"] == height or t["right"] == width)
            for t in things
        ]
    if quality == "same colour":
        return count_each([thing["colour"] for thing in things])
    if quality == "same size":
        return count_each([thing["size"] for thing in things])
    if quality == "same shape":
        return count_each([shape_number(thing["mask"]) for thing in things])
    if quality == "same picture":
        return count_each([thing["patch"].tolist() for thing in things])
    raise ValueError(quality)


def select(grid: Grid, things: list, quality: str, rank: str) -> list:
    """The objects whose quality is the largest, smallest, unique or commonest, or that number."""
    if not things:
        raise ValueError("no objects")
    values = measure(grid, things, quality)
    if rank == "largest":
        wanted = max(values)
    elif rank == "smallest":
        wanted = min(values)
    elif rank == "commonest":
        wanted = max(values, key=values.count)
    elif rank == "unique":
        alone = [value for value in values if values.count(value) == 1]
        wanted = alone[0] if alone else None
    else:
        wanted = rank
    return [thing for thing, value in zip(things, values) if value == wanted]


def window(grid: Grid, thing: dict) -> Grid:
    """The part of the grid in an object's box, as a view."""
    return grid[thing["top"] : thing["bottom"], thing["left"] : thing["right"]]
