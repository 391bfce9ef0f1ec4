"""Datasets on disk: lines of JSON, one training example each, in one zstd stream.

A line holds `origin`, `candidate` (its id), `task` (ARC's JSON form, with its id), `source` (the
answer), `run` (whose candidate it is, where that is another than the one that learned) and, of a repair, `parent`: its id, source, what it got right, and its results, one per
input: a grid as rows of cells, or `{"kind", "text"}` of a failure.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from engine.arc import as_grid, pack, unpack
from engine.arc.document import TaskFileError, parse_task, task_document
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Evaluation, Failure, Result

_HEAD = re.compile(rb'\{"origin":"\w+","candidate":\d+,"task":\{"id":(?P<task>"(?:[^"\\]|\\.)*")')
"""How every line begins, so that lines of one task are told without reading them whole."""


class DatasetError(ValueError):
    """A dataset file that cannot be used; the message names the file and the line."""


def write_dataset(examples: Iterable[Example], path: Path) -> int:
    """Write examples to a new file, whole or not at all, and return how many there were."""
    documents = (example_document(example) for example in examples)
    return write_lines((json.dumps(each, separators=(",", ":")) for each in documents), path)


def write_lines(lines: Iterable[str], path: Path) -> int:
    """Write lines of ASCII, packed, whole or not at all, and return how many there were."""
    unfinished = path.with_name(path.name + ".new")
    count = 0
    with unfinished.open("wb") as file:
        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packed:
            for line in lines:
                # ASCII only: a source may hold lone surrogates, which UTF-8 cannot.
                packed.write(f"{line}\n".encode("ascii"))
                count += 1
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return count


def read_dataset(path: Path) -> Iterator[Example]:
    """Yield a dataset's examples in order. Raises DatasetError naming the file and the line."""
    for number, line in enumerate(read_lines(path), 1):
        yield parse_example(line, f"{path}, line {number}")


@dataclass(frozen=True, slots=True)
class Portion:
    """A dataset's consecutive lines of one task, not read yet; `first` is the first's number."""

    path: Path
    first: int
    lines: tuple[bytes, ...]

    def examples(self) -> Iterator[Example]:
        """Yield the examples. Raises DatasetError naming the file and the line."""
        for number, line in enumerate(self.lines, self.first):
            yield parse_example(line, f"{self.path}, line {number}")


def read_portions(path: Path) -> Iterator[Portion]:
    """Yield a dataset task by task, for other processes to read. Raises DatasetError."""
    portion: list[bytes] = []
    before = b""
    number = 0
    for number, line in enumerate(read_lines(path), 1):
        head = _HEAD.match(line)
        if head is None:
            raise DatasetError(f"{path}, line {number}: no example")
        if portion and head["task"] != before:
            yield Portion(path, number - len(portion), tuple(portion))
            portion = []
        before = head["task"]
        portion.append(line)
    if portion:
        yield Portion(path, number - len(portion) + 1, tuple(portion))


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield a packed file's lines. Raises DatasetError."""
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as packed,
        ):
            yield from io.BufferedReader(packed, 1 << 20)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    except zstandard.ZstdError as error:
        raise DatasetError(f"{path}: not a dataset: {error}") from error


def parse_example(line: bytes, place: str) -> Example:
    """Return the example of a dataset's line; `place` names it in errors. Raises DatasetError."""
    try:
        return _example(json.loads(line.decode("ascii")), place)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{place}: {error}") from error


def example_document(example: Example) -> dict[str, Any]:
    """Return an example as plain JSON data, as a dataset's lines hold it."""
    document: dict[str, Any] = {
        "origin": example.origin,
        "candidate": example.candidate,
        "task": {"id": example.task.id, **task_document(example.task)},
        "source": example.source,
    }
    if example.run is not None:
        document["run"] = example.run
    parent = example.parent
    if parent is not None and parent.evaluation is not None:
        document["parent"] = {
            "id": parent.id,
            "source": parent.source,
            "right": parent.evaluation.right,
            "results": [_result_document(result) for result in parent.evaluation.results],
        }
    return document


def _result_document(result: Result) -> object:
    if isinstance(result, Failure):
        return {"kind": result.kind, "text": result.text}
    return unpack(result).tolist()


def _example(document: dict[str, Any], place: str) -> Example:
    try:
        task = parse_task(document["task"], document["task"]["id"], place)
    except TaskFileError as error:
        raise DatasetError(str(error)) from error
    parent = document.get("parent")
    return Example(
        origin=document["origin"],
        task=task,
        source=document["source"],
        candidate=document["candidate"],
        parent=None if parent is None else _parent(parent),
        run=document.get("run"),
    )


def _parent(document: dict[str, Any]) -> Candidate:
    return Candidate(
        id=document["id"],
        operator="sample",
        pull=0,
        island=0,
        parent=None,
        source=document["source"],
        evaluation=Evaluation(
            tuple(_result(result) for result in document["results"]), tuple(document["right"])
        ),
    )


def _result(document: Any) -> Result:
    if isinstance(document, dict):
        return Failure(document["kind"], document["text"])
    return pack(as_grid(document))
