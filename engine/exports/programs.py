"""A run's programs as rows in the columns of the released SOAR dataset (soar_arc_train_5M).

`task_id`, `code`, `correct_train_input`, `correct_test_input`, `predicted_train_output`,
`predicted_test_output`, `model` and `generation` are theirs; `operator`, `filter` and `candidate`
are ours. A grid that a program did not give is null, and so are marks while the truth is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import msgspec

from engine.arc import unpack
from engine.archive.bulk import ProgramRow
from engine.archive.reader import RunReader
from engine.exports.output import OnProgress
from engine.exports.parquet import (
    GROUP,
    arrow,
    bits_array,
    grid_type,
    grids_array,
    text_array,
)
from engine.exports.resuming import OnFound, digest, unheard
from engine.exports.rows import Form, Rows, write_rows, write_stream
from engine.exports.stamps import candidates_of, searched_stamp

if TYPE_CHECKING:
    import pyarrow as pa

Which: TypeAlias = Literal["all", "unfiltered", "perfect", "right"]
"""All programs · those no filter bars · of these, right on every demonstration · and every test."""


@dataclass(frozen=True, slots=True)
class ProgramRecord:
    """One row: a distinct program of a task, the policy's name and the iteration it came in."""

    task: str
    program: ProgramRow
    model: str
    generation: int


def program_records(
    reader: RunReader, which: Which, left_out: Counter[str], iterations: Sequence[int] | None = None
) -> Rows[ProgramRecord]:
    """Return a run's distinct programs, task by task, each where it came first.

    `iterations` are those looked at (default: all); `left_out` counts what is not among them, by
    reason. Memory holds one search at a time.
    """
    rows = [row for row in reader.iterations() if iterations is None or row.index in iterations]
    tasks_of = {row.index: {task.index for task in reader.task_rows(row.index)} for row in rows}
    tasks = reader.tasks()

    def portions(first: int) -> Iterator[Iterator[ProgramRecord]]:
        for index, task in enumerate(tasks[first:], first):
            yield records(index, task.id)

    def records(index: int, task: str) -> Iterator[ProgramRecord]:
        seen: set[int] = set()
        for row in rows:
            if index in tasks_of[row.index]:
                for program in reader.programs(row.index, index):
                    reason = _reason(program, which, seen)
                    seen.add(program.program)
                    if reason is None:
                        yield ProgramRecord(task, program, row.policy, row.index)
                    else:
                        left_out[reason] += 1

    indexes = [row.index for row in rows]
    return Rows(
        digest("programs", reader.created, which, None if iterations is None else indexes),
        portions,
        searched_stamp(reader, range(len(tasks)), indexes),
        "candidates",
        candidates_of(reader, range(len(tasks)), indexes),
        left_out,
    )


def _reason(program: ProgramRow, which: Which, seen: Container[int]) -> str | None:
    """Return why a program is not among those asked for, or None when it is."""
    if program.program in seen:
        return "in an earlier iteration too"
    if which == "all":
        return None
    if program.filter is not None:
        return f"filter {program.filter}"
    if program.results is None:
        return "not run"
    if which != "unfiltered" and not all(program.right):
        return "wrong on a demonstration"
    if which == "right" and not (program.right_tests and all(program.right_tests)):
        return "not known to be right on every test input"
    return None


def write_programs_parquet(
    records: Iterable[ProgramRecord],
    path: Path,
    *,
    force: bool,
    on_rows: OnProgress,
    on_found: OnFound = unheard,
) -> int:
    """Write records as Parquet and return how many (see write_rows). Raises ExportError."""
    return write_rows(records, PROGRAMS, path, force=force, on_progress=on_rows, on_found=on_found)


def write_programs_jsonl(
    records: Iterable[ProgramRecord],
    to: BinaryIO | Path,
    on_rows: OnProgress,
    *,
    force: bool = False,
    on_found: OnFound = unheard,
) -> int:
    """Write records as one JSON object a line, to a stream or a new file, and return how many.

    Raises ExportError.
    """
    if isinstance(to, Path):
        return write_rows(
            records, PROGRAMS, to, force=force, on_progress=on_rows, on_found=on_found
        )
    return write_stream(records, PROGRAMS, to, on_rows)


def program_schema() -> pa.Schema:
    """Return the columns and their types. Raises ExportError without pyarrow."""
    pa = arrow()
    return pa.schema(
        [
            ("task_id", pa.string()),
            ("code", pa.string()),
            ("correct_train_input", pa.list_(pa.bool_())),
            ("correct_test_input", pa.list_(pa.bool_())),
            ("predicted_train_output", pa.list_(grid_type())),
            ("predicted_test_output", pa.list_(grid_type())),
            ("model", pa.string()),
            ("generation", pa.int64()),
            ("operator", pa.string()),
            ("filter", pa.string()),
            ("candidate", pa.int64()),
        ]
    )


def _lines(group: Sequence[ProgramRecord]) -> bytes:
    encoder, buffer, lines = msgspec.json.Encoder(), bytearray(), bytearray()
    for record in group:
        encoder.encode_into(_document(record), buffer)
        lines += buffer
        lines += b"\n"
    return bytes(lines)


def _batch(group: Sequence[ProgramRecord]) -> pa.RecordBatch:
    pa = arrow()
    programs = [record.program for record in group]
    train, test = zip(*map(_outputs, programs), strict=True)
    return pa.record_batch(
        [
            text_array([record.task for record in group]),
            text_array([program.source for program in programs]),
            bits_array([program.right for program in programs]),
            bits_array([program.right_tests for program in programs]),
            grids_array(train),
            grids_array(test),
            text_array([record.model for record in group]),
            pa.array([record.generation for record in group], pa.int64()),
            text_array([program.operator for program in programs]),
            text_array([program.filter for program in programs]),
            pa.array([program.candidate for program in programs], pa.int64()),
        ],
        schema=program_schema(),
    )


_Outputs: TypeAlias = Sequence[bytes | None]


def _outputs(program: ProgramRow) -> tuple[_Outputs, _Outputs]:
    """Return what a program gave on the demonstrations and on the tests, None for a failure."""
    outputs = [result if isinstance(result, bytes) else None for result in program.results or ()]
    pairs = len(program.right)
    return outputs[:pairs], outputs[pairs:]


def _document(record: ProgramRecord) -> dict[str, object]:
    program = record.program
    train, test = _outputs(program)
    return {
        "task_id": _valid(record.task),
        "code": _valid(program.source),
        "correct_train_input": program.right,
        "correct_test_input": program.right_tests,
        "predicted_train_output": [_rows(output) for output in train],
        "predicted_test_output": [_rows(output) for output in test],
        "model": _valid(record.model),
        "generation": record.generation,
        "operator": program.operator,
        "filter": program.filter,
        "candidate": program.candidate,
    }


def _rows(output: bytes | None) -> list[list[int]] | None:
    return None if output is None else unpack(output).tolist()


def _valid(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone surrogate becomes `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


PROGRAMS = Form(GROUP, _lines, program_schema, _batch, ("code",))
"""How programs are written."""
