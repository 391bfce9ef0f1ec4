"""ARC's JSON form of a task: reading it with every rule checked, writing it back.

A task is `{"train": [{"input": grid, "output": grid}, …], "test": [{"input": grid, …}, …]}` with
grids as lists of rows; a test's output may be there, missing, null or a placeholder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeAlias

from engine.arc.grid import Grid, GridError, as_grid
from engine.arc.task import Pair, Task

Document: TypeAlias = dict[str, Any]

PLACEHOLDERS: tuple[object, ...] = (None, "", [], [[]], [[0, 0], [0, 0]])
"""What stands for an output that is not known; the last is that of Kaggle's sample submission."""

MOST_PAIRS, MOST_TESTS = 63, 62
"""The archive keeps which pairs were right, and which tests, as the bits of a signed 64-bit number.

All its tests right is compared with `(1 << tests) - 1`, which SQLite only has up to 62.
"""


class TaskFileError(ValueError):
    """A task set that cannot be used; the message names the file, the task, the pair, the rule."""


def read_json(path: Path) -> object:
    """Return what a JSON file holds. Raises TaskFileError; a key given twice is refused too."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TaskFileError(f"{path}: {error.strerror}") from error
    if not content.strip():
        raise TaskFileError(f"{path}: the file is empty")
    try:
        return json.loads(content, object_pairs_hook=_distinct)
    except RecursionError as error:
        raise TaskFileError(f"{path}: not JSON: nested too deeply") from error
    except _TwiceError as error:
        raise TaskFileError(f"{path}: {error.args[0]!r} is there twice") from error
    except ValueError as error:
        raise TaskFileError(f"{path}: not JSON: {error}") from error


class _TwiceError(Exception):
    """A key that a JSON object holds twice."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return document


def parse_task(document: object, identifier: str, source: str) -> Task:
    """Return the task of its JSON form; `source` names the file in errors.

    At least one demonstration and one test are needed, at most MOST_PAIRS and MOST_TESTS taken.
    Test outputs are known for all tests or for none (then truth is None). Raises TaskFileError.
    """
    place = f"{source}: task {identifier!r}"
    if not isinstance(document, dict):
        raise TaskFileError(f"{place}: {_kind(document)}, not an object with train and test")
    train = []
    for number, pair in enumerate(_pairs(document, "train", MOST_PAIRS, place), 1):
        where = f"{place}, demonstration {number}"
        train.append(Pair(_grid(pair, "input", where), _grid(pair, "output", where)))
    test: list[Grid] = []
    truth: list[Grid | None] = []
    for number, pair in enumerate(_pairs(document, "test", MOST_TESTS, place), 1):
        where = f"{place}, test {number}"
        test.append(_grid(pair, "input", where))
        known = pair.get("output") not in PLACEHOLDERS
        truth.append(_grid(pair, "output", where) if known else None)
    return Task(identifier, tuple(train), tuple(test), whole_truth(truth, place))


def parse_outputs(document: object, identifier: str, source: str) -> tuple[Grid, ...] | None:
    """Return a task's test outputs as a solutions file holds them (a list of grids).

    None when they are all placeholders. Raises TaskFileError.
    """
    place = f"{source}: task {identifier!r}"
    if not isinstance(document, list):
        raise TaskFileError(f"{place}: {_kind(document)}, not a list of outputs")
    outputs = [
        None if output in PLACEHOLDERS else _as_grid(output, f"{place}, test {number}, output")
        for number, output in enumerate(document, 1)
    ]
    return whole_truth(outputs, place)


def whole_truth(outputs: list[Grid | None], place: str) -> tuple[Grid, ...] | None:
    """Return the outputs if all are known, None if none is; raises TaskFileError for a mixture."""
    known = tuple(output for output in outputs if output is not None)
    if known and len(known) < len(outputs):
        missing = next(number for number, output in enumerate(outputs, 1) if output is None)
        raise TaskFileError(f"{place}, test {missing}: no output, though other tests have one")
    return known or None


def task_document(task: Task) -> Document:
    """Return the task's ARC JSON form; test outputs are left out where truth is None."""
    test: list[Document] = [{"input": grid.tolist()} for grid in task.test]
    for pair, output in zip(test, task.truth or (), strict=False):
        pair["output"] = output.tolist()
    train = [{"input": pair.input.tolist(), "output": pair.output.tolist()} for pair in task.train]
    return {"train": train, "test": test}


def save_task(task: Task, path: Path) -> None:
    """Write the task as ARC JSON, a row of cells a line, whole or not at all."""
    document = task_document(task)
    sections = [
        f'"{name}": [{", ".join(_written(pair) for pair in document[name])}]'
        for name in ("train", "test")
    ]
    unfinished = path.with_name(path.name + ".new")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("{" + ",\n".join(sections) + "}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _written(pair: dict[str, list[list[int]]]) -> str:
    grids = (f'"{key}": [\n{_rows(grid)}]' for key, grid in pair.items())
    return "{" + ", ".join(grids) + "}"


def _rows(grid: list[list[int]]) -> str:
    return ",\n".join(f"[{', '.join(map(str, row))}]" for row in grid)


def _pairs(document: Document, key: str, most: int, place: str) -> list[Document]:
    pairs = document.get(key)
    if pairs is None:
        raise TaskFileError(f"{place}: no {key!r}")
    if not isinstance(pairs, list):
        raise TaskFileError(f"{place}: {key!r} is {_kind(pairs)}, not a list of pairs")
    if not pairs:
        raise TaskFileError(f"{place}: {key!r} is empty, at least one pair is needed")
    if len(pairs) > most:
        raise TaskFileError(f"{place}: {key!r} has {len(pairs)} pairs, at most {most} are taken")
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, dict):
            raise TaskFileError(f"{place}, {key!r}: pair {number} is {_kind(pair)}, not an object")
    return pairs


def _grid(pair: Document, key: str, place: str) -> Grid:
    if key not in pair:
        raise TaskFileError(f"{place}: no {key!r}")
    return _as_grid(pair[key], f"{place}, {key}")


def _as_grid(value: object, place: str) -> Grid:
    try:
        return as_grid(value)
    except GridError as error:
        raise TaskFileError(f"{place}: {error}") from error


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null"}
    return names.get(type(value), "a number or truth value")
