"""Training examples as chats: what a policy is asked and the answer it should give (SOAR §3, §7).

Rows are built by the very functions that ask a model while searching, so they train what is used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.output import ExportError, OnRows
from engine.exports.parquet import arrow, parquet_writer, text_array
from engine.learning.dataset import read_dataset
from engine.learning.example import Example
from engine.learning.gather import gather
from engine.learning.trainers.rows import training_row
from engine.programs.candidate import Candidate

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 1024
"""Rows of a Parquet group; a prompt takes some ten thousand characters."""


def examples(
    reader: RunReader, folder: Path, settings: Settings, iteration: int | None = None
) -> tuple[Iterator[Example], str]:
    """Return the training examples of an iteration (default: the last) and whence they are.

    They are those it was learned from, where it was; otherwise those that learning from it would
    choose, by the run's own settings. The truth is used only of tasks of training iterations.
    Raises ExportError when the iteration is not there or not through.
    """
    rows = reader.iterations()
    ended = [row.index for row in rows if row.ended is not None]
    if iteration is None and not ended:
        raise ExportError(f"{folder.name}: no iteration is through, so nothing can be learned yet")
    chosen = ended[-1] if iteration is None else iteration
    if chosen not in ended:
        known = ", ".join(str(index + 1) for index in ended) or "none"
        raise ExportError(
            f"{folder.name}: iteration {chosen + 1} is not through; those that are: {known}"
        )
    learned = folder / "datasets" / f"iteration-{chosen}.jsonl.zst"
    if any(point.iteration == chosen for point in reader.checkpoints()) and learned.exists():
        return read_dataset(learned), f"examples that iteration {chosen + 1} gave to learn from"
    return _gathered(reader, settings, chosen), (
        f"examples as learning from iteration {chosen + 1} would choose them"
    )


def _gathered(reader: RunReader, settings: Settings, iteration: int) -> Iterator[Example]:
    so_far = [row for row in reader.iterations() if row.index <= iteration]
    pooled = so_far if settings.learn.pool else so_far[-1:]
    searched = {row.index: {task.index for task in reader.task_rows(row.index)} for row in so_far}
    training = {i for row in so_far if row.phase == "train" for i in searched[row.index]}
    tasks = reader.tasks()

    def candidates(task: int) -> list[Candidate]:
        return [
            candidate
            for row in pooled
            for _, found in reader.pulls(row.index, task)
            for candidate in found
        ]

    chosen = sorted(set[int]().union(*(searched[row.index] for row in pooled)))
    given = [(i, tasks[i] if i in training else tasks[i].without_truth()) for i in chosen]
    for data in gather(given, candidates, settings.learn, settings.vote, settings.seed + iteration):
        yield from data.samples
        yield from data.repairs


def chat(example: Example) -> dict[str, Any]:
    """Return an example as a row: `prompt` and `completion` messages, and where it comes from."""
    row = training_row(example)
    return {
        "prompt": row["prompt"],
        "completion": row["completion"],
        "task_id": example.task.id,
        "origin": example.origin,
        "candidate": example.candidate,
    }


def write_chats_jsonl(rows: Iterable[Example], file: BinaryIO, on_rows: OnRows) -> int:
    """Write examples as one chat a line and return how many."""
    count = 0
    for count, example in enumerate(rows, 1):
        file.write(json.dumps(chat(example)).encode("ascii") + b"\n")
        on_rows(count)
    return count


def write_chats_parquet(
    rows: Iterable[Example], path: Path, *, force: bool, on_rows: OnRows
) -> int:
    """Write examples as Parquet, messages as lists of structs, and return how many."""
    count, group = 0, list[dict[str, Any]]()
    with parquet_writer(path, chat_schema(), force=force, texts=["prompt", "completion"]) as writer:
        for example in rows:
            group.append(chat(example))
            if len(group) == GROUP:
                writer.write_batch(_batch(group))
                group.clear()
            count += 1
            on_rows(count)
        if group:
            writer.write_batch(_batch(group))
    return count


def chat_schema() -> pa.Schema:
    """Return the columns and their types. Raises ExportError without pyarrow."""
    pa = arrow()
    messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    return pa.schema(
        [
            ("prompt", messages),
            ("completion", messages),
            ("task_id", pa.string()),
            ("origin", pa.string()),
            ("candidate", pa.int64()),
        ]
    )


def _batch(group: list[dict[str, Any]]) -> pa.RecordBatch:
    pa = arrow()
    return pa.record_batch(
        [
            _messages([row["prompt"] for row in group]),
            _messages([row["completion"] for row in group]),
            text_array([row["task_id"] for row in group]),
            text_array([row["origin"] for row in group]),
            pa.array([row["candidate"] for row in group], pa.int64()),
        ],
        schema=chat_schema(),
    )


def _messages(chats: list[list[dict[str, str]]]) -> pa.Array:
    pa = arrow()
    flat = [message for messages in chats for message in messages]
    structs = pa.StructArray.from_arrays(
        [text_array([message[key] for message in flat]) for key in ("role", "content")],
        names=["role", "content"],
    )
    offsets, at = [0], 0
    for messages in chats:
        at += len(messages)
        offsets.append(at)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)
