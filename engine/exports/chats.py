"""Training examples as chats: what a policy is asked and the answer it should give (SOAR §3, §7).

Rows are built by the very functions that ask a model while searching, so they train what is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.archive.reader import RunReader
from engine.config import Settings
from engine.exports.chat_rows import Chat, json_line, line_chat
from engine.exports.gathered import gathered
from engine.exports.output import ExportError, OnProgress
from engine.exports.parquet import arrow, text_array
from engine.exports.resuming import OnFound, digest, unheard
from engine.exports.rows import Form, Rows, write_rows, write_stream
from engine.learning.dataset import read_lines
from engine.policies.llm.prompts import Messages

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 1024
"""Rows of a Parquet group; a prompt takes some ten thousand characters."""
LINES = 1024
"""Examples of a dataset's file after which an export of it could go on."""


def examples(
    reader: RunReader, folder: Path, settings: Settings, iteration: int | None = None
) -> tuple[Rows[Chat], str]:
    """Return the training examples of an iteration (default: the last) as chats, and whence they are.

    They are those it was learned from, where it was; otherwise those that learning from it would
    choose, by the run's own settings. The truth is used only of tasks of training iterations.
    Raises ExportError when the iteration is not there or not through, or cannot be learned from, and
    DatasetError, also while they are read, for a damaged file.
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
        return _learned(reader, learned, chosen), (
            f"examples that iteration {chosen + 1} gave to learn from"
        )
    return gathered(reader, folder, settings, chosen), (
        f"examples as learning from iteration {chosen + 1} would choose them"
    )


def _learned(reader: RunReader, path: Path, iteration: int) -> Rows[Chat]:
    """Return a dataset's examples, in portions of as many lines; it never changes once written."""
    lines = sum(1 for _ in read_lines(path))
    weights = tuple(min(LINES, lines - first) for first in range(0, lines, LINES))

    def portions(first: int) -> Iterator[Iterator[Chat]]:
        numbered = islice(enumerate(read_lines(path), 1), first * LINES, None)
        file = str(path)
        for _ in weights[first:]:
            yield (
                line_chat(line, f"{file}, line {number}")
                for number, line in islice(numbered, LINES)
            )

    stat = path.stat()
    job = digest("learned", reader.created, iteration, stat.st_size, stat.st_mtime_ns)
    return Rows(job, portions, str, "examples", weights)


def write_chats_jsonl(
    rows: Iterable[Chat],
    to: BinaryIO | Path,
    on_rows: OnProgress,
    *,
    force: bool = False,
    on_found: OnFound = unheard,
) -> int:
    """Write examples as one chat a line, to a stream or a new file, and return how many.

    Raises ExportError.
    """
    if isinstance(to, Path):
        return write_rows(rows, CHATS, to, force=force, on_progress=on_rows, on_found=on_found)
    return write_stream(rows, CHATS, to, on_rows)


def write_chats_parquet(
    rows: Iterable[Chat],
    path: Path,
    *,
    force: bool,
    on_rows: OnProgress,
    on_found: OnFound = unheard,
) -> int:
    """Write examples as Parquet, messages as lists of structs, and return how many (see write_rows).

    Raises ExportError.
    """
    return write_rows(rows, CHATS, path, force=force, on_progress=on_rows, on_found=on_found)


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


def _lines(group: Sequence[Chat]) -> bytes:
    return b"".join(map(json_line, group))


def _batch(group: Sequence[Chat]) -> pa.RecordBatch:
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


def _messages(chats: list[Messages]) -> pa.Array:
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


CHATS = Form(GROUP, _lines, chat_schema, _batch, ("prompt", "completion"))
"""How chats are written."""
