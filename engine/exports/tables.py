"""A run's archive as one Parquet file per table, for DuckDB, Polars and pandas.

TABLES is the schema; docs/exports.md lists it for readers and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from engine.arc import Task
from engine.archive.packing import packed_grids, unpack_bits, unpack_results, unpack_text
from engine.archive.reader import RunReader
from engine.exports.output import ExportError, OnProgress, check_free
from engine.exports.parquet import (
    GrowingParquet,
    arrow,
    bits_array,
    grid_type,
    grids_array,
    text_array,
)
from engine.exports.resuming import FORM, Mark, OnFound, Part, digest, going_on, unheard
from engine.exports.rows import PIECE
from engine.programs.candidate import Failure

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = 5000
"""Rows read and written at once."""

Kind: TypeAlias = Literal[
    "int", "real", "flag", "text", "grids", "outputs", "errors", "pairs", "tests"
]
"""`text` may be stored as bytes; `grids` are joined packed grids; `outputs` and `errors` are the
two halves of a joint result; `pairs` and `tests` are marks, one per demonstration or test input."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, how it is written, and the archive's column it is made of."""

    name: str
    kind: Kind
    of: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, the table or view it is read from, its key there, its columns."""

    name: str
    source: str
    keys: tuple[str, ...]
    columns: tuple[Column, ...]


def _table(name: str, keys: str, columns: str, source: str | None = None) -> Table:
    """Return a table of columns written as `name:kind` or `name:kind=column`."""
    found = []
    for word in columns.split():
        column, _, rest = word.partition(":")
        kind, _, of = rest.partition("=")
        found.append(Column(column, kind, of or column))  # type: ignore[arg-type]  # a word of Kind
    return Table(name, source or name, tuple(keys.split()), tuple(found))


# Those that refer before those referred to, so that a run still searched exports whole.
TABLES = (
    _table(
        "candidate",
        "id",
        "id:int iteration:int task:int number:int operator:text pull:int island:int parent:int "
        "created:real program:int length:int outcome:int accuracy:real filter:text runs:flag "
        "pattern:int right:flag prior:real finish:text tokens_in:int tokens_out:int "
        "tokens_cached:int cost:real weights:text",
        "candidate_view",
    ),
    _table(
        "pull",
        "id",
        "id:int iteration:int task:int number:int operator:text island:int parent:int draw:real "
        "seed:int created:real seconds:real first:int count:int",
    ),
    _table("reply", "candidate", "candidate:int text:text"),
    _table("program", "id", "id:int length:int source:text"),
    _table(
        "outcome",
        "id",
        "id:int task:int outputs:outputs=results errors:errors=results right:pairs runs:flag "
        "pattern:int",
    ),
    _table(
        "vote",
        "iteration task rank",
        "iteration:int task:int rank:int pattern:int weight:real count:int",
    ),
    _table("pattern", "id", "id:int task:int outputs:grids right:tests"),
    _table(
        "search",
        "iteration task",
        "iteration:int task:int pulls:int candidates:int programs:int errors:int filtered:int "
        "perfect:int right:int best:real tokens_in:int tokens_out:int tokens_cached:int cost:real "
        "active:real finished:real seconds:real formula:text",
    ),
    _table(
        "iteration",
        "idx",
        "iteration:int=idx phase:text policy:text checkpoint:text first:int tasks:int started:real "
        "ended:real seconds:real",
    ),
    _table(
        "task", "idx", "task:int=idx id:text pairs:int tests:int train:grids test:grids truth:grids"
    ),
    _table("event", "id", "id:int time:real level:text kind:text text:text"),
    _table("metric", "id", "id:int name:text step:int value:real"),
    _table(
        "checkpoint",
        "id",
        "id:int iteration:int path:text policy:text base:text examples:int seconds:real "
        "created:real",
    ),
    _table(
        "example",
        "id",
        "id:int iteration:int kind:text label:text run:text candidate:int parent:int weight:real "
        "rejected:text",
    ),
)


def write_tables(
    reader: RunReader,
    folder: Path,
    *,
    force: bool,
    on_rows: OnProgress,
    on_found: OnFound = unheard,
    every: int = PIECE,
) -> dict[str, int]:
    """Write every table as `NAME.parquet` into a new folder and return the rows of each.

    An export of the same archive that was cut off goes on where it was; every so many rows it is
    made sure of what is written. With `force` a folder that holds nothing else is replaced. Raises
    ExportError.
    """
    arrow()
    _check_replaceable(folder, force=force)
    # Candidates are counted as they come; counting millions again would take seconds.
    counts = {"candidate": sum(row.candidates for row in reader.iterations())}
    counts |= {table.name: reader.count(table.name) for table in TABLES if table.name not in counts}
    whole = sum(counts.values())
    # Beside the counts, all that is ever changed where it stands.
    changed = [(row.iteration, row.task, row.finished) for row in reader.searches()]
    ended = [(row.index, row.ended) for row in reader.iterations()]
    stamp = digest(counts, changed, ended)
    job = digest(FORM, "tables", reader.created, [repr(table) for table in TABLES])
    with going_on(folder, job, lambda _: stamp, on_found, force=force, as_folder=True) as part:
        part.content.mkdir(exist_ok=True)
        number, *after = part.mark.place or (0,)
        on_rows(sum(part.mark.rows.values()), whole)
        for place in range(number, len(TABLES)):
            since = tuple(after) if after and place == number else None
            for mark in _written(reader, part, place, since, every):
                part.advance(replace(mark, stamp=stamp))
                on_rows(sum(mark.rows.values()), whole)
        # Others may have put files there since.
        _check_replaceable(folder, force=force)
    return part.mark.rows


def _written(
    reader: RunReader, part: Part, place: int, after: tuple[int, ...] | None, every: int
) -> Iterator[Mark]:
    """Write the rest of a table and yield how far it is, whenever that may be marked."""
    table, tasks = TABLES[place], reader.tasks()
    mark, keys = part.mark, len(table.keys)
    rows = marked = mark.rows.get(table.name, 0)
    with GrowingParquet(
        part.content / f"{table.name}.parquet",
        part.folder,
        table_schema(table),
        texts=("source", "text"),
        size=mark.size,
        pieces=mark.pieces,
    ) as file:
        for page in _pages(reader, table, after):
            file.write_batch(partial(_batch, table, page, tasks))
            rows += len(page)
            if rows - marked >= every:
                file.commit()
                marked = rows
                yield Mark(
                    mark.job,
                    place=(place, *page[-1][:keys]),
                    rows={**mark.rows, table.name: rows},
                    size=file.size,
                    pieces=file.pieces,
                )
        file.finish()
    yield Mark(mark.job, place=(place + 1,), rows={**mark.rows, table.name: rows})


def _check_replaceable(folder: Path, *, force: bool) -> None:
    check_free(folder, force=force, as_folder=True)
    if not folder.exists():
        return
    names = {f"{table.name}.parquet" for table in TABLES}
    strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in names)
    if strange:
        raise ExportError(
            f"{folder}: holds {strange[0]!r}, which no export put there; not replaced"
        )


def table_schema(table: Table) -> pa.Schema:
    """Return a table's columns and their Parquet types. Raises ExportError without pyarrow."""
    return arrow().schema([(column.name, _type(column.kind)) for column in table.columns])


def _type(kind: Kind) -> pa.DataType:
    pa = arrow()
    match kind:
        case "int":
            return pa.int64()
        case "real":
            return pa.float64()
        case "flag":
            return pa.bool_()
        case "text":
            return pa.string()
        case "grids" | "outputs":
            return pa.list_(grid_type())
        case "errors":
            return pa.list_(pa.string())
        case "pairs" | "tests":
            return pa.list_(pa.bool_())


def _pages(
    reader: RunReader, table: Table, after: tuple[int, ...] | None
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a table's pages after a key; each row is its key's values and then its columns'."""
    columns = (*table.keys, *(column.of for column in table.columns))
    while True:
        page = reader.table(table.source, columns, table.keys, after, PAGE)
        if not page:
            return
        yield page
        after = page[-1][: len(table.keys)]


def _batch(table: Table, page: Sequence[tuple[Any, ...]], tasks: Sequence[Task]) -> pa.RecordBatch:
    cells = list(zip(*page, strict=True))[len(table.keys) :]
    places = [column.name for column in table.columns]
    searched = cells[places.index("task")] if "task" in places else ()
    columns = [
        _column(column.kind, values, [tasks[index] for index in searched])
        for column, values in zip(table.columns, cells, strict=True)
    ]
    return arrow().record_batch(columns, schema=table_schema(table))


def _column(kind: Kind, values: Sequence[Any], tasks: Sequence[Task]) -> pa.Array:
    pa = arrow()
    match kind:
        case "int" | "real":
            return pa.array(values, _type(kind))
        case "flag":
            return pa.array([None if v is None else bool(v) for v in values], pa.bool_())
        case "text":
            return text_array(
                [unpack_text(value) if isinstance(value, bytes) else value for value in values]
            )
        case "grids":
            known = [() if value is None else packed_grids(value) for value in values]
            missing = pa.array([value is None for value in values])
            return _masked(grids_array(known), missing)
        case "outputs":
            results = [unpack_results(value) for value in values]
            return grids_array(
                [[r if isinstance(r, bytes) else None for r in row] for row in results]
            )
        case "errors":
            results = [unpack_results(value) for value in values]
            flat = [_error(result) for row in results for result in row]
            lists = pa.array([[None] * len(row) for row in results], pa.list_(pa.string()))
            return pa.ListArray.from_arrays(lists.offsets, text_array(flat))
        case "pairs":
            given = zip(values, tasks, strict=True)
            return bits_array([unpack_bits(value, len(task.train)) for value, task in given])
        case "tests":
            given = zip(values, tasks, strict=True)
            return bits_array(
                [None if value is None else unpack_bits(value, len(t.test)) for value, t in given]
            )


def _masked(lists: pa.Array, missing: pa.Array) -> pa.Array:
    pa = arrow()
    return pa.ListArray.from_arrays(lists.offsets, lists.values, mask=missing)


def _error(result: bytes | Failure) -> str | None:
    return f"{result.kind}: {result.text}" if isinstance(result, Failure) else None
