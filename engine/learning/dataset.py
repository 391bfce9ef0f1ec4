"""Datasets on disk: lines of JSON, one training example each, in one zstd stream.

A line holds `origin`, `candidate` (its id), `task` (ARC's JSON form, with its id), `source` (the
answer) and, of a repair, `parent`: its id, source, what it got right, and its results, one per
input: a grid as rows of cells, or `{"kind", "text"}` of a failure.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from engine.arc import as_grid, pack, unpack
from engine.arc.document import TaskFileError, parse_task, task_document
from engine.learning.example import Example
from engine.programs.candidate import Candidate, Evaluation, Failure, Result


class DatasetError(ValueError):
    """A dataset file that cannot be used; the message names the file and the line."""


def write_dataset(examples: Iterable[Example], path: Path) -> int:
    """Write examples to a new file, whole or not at all, and return how many there were."""
    unfinished = path.with_name(path.name + ".new")
    count = 0
    with unfinished.open("wb") as file:
        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packed:
            for example in examples:
                # ASCII only: a source may hold lone surrogates, which UTF-8 cannot.
                line = json.dumps(_document(example), separators=(",", ":")) + "\n"
                packed.write(line.encode("ascii"))
                count += 1
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return count


def read_dataset(path: Path) -> Iterator[Example]:
    """Yield a dataset's examples in order. Raises DatasetError naming the file and the line."""
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as packed,
        ):
            for number, line in enumerate(io.TextIOWrapper(packed, "ascii"), 1):
                try:
                    yield _example(json.loads(line), f"{path}, line {number}")
                except (ValueError, KeyError, TypeError) as error:
                    raise DatasetError(f"{path}, line {number}: {error}") from error
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}") from error
    except (zstandard.ZstdError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a dataset: {error}") from error


def _document(example: Example) -> dict[str, Any]:
    document: dict[str, Any] = {
        "origin": example.origin,
        "candidate": example.candidate,
        "task": {"id": example.task.id, **task_document(example.task)},
        "source": example.source,
    }
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
