"""Parquet through pyarrow: grids as nested lists, rows written in groups so that memory stays flat."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.exports.output import ExportError, new_file

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP = 8192
"""Rows of a group: what is held in memory at once."""


def arrow() -> Any:
    """Return pyarrow. Raises ExportError saying how to get it where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExportError(
            f"Parquet needs pyarrow ({error}); install it with: pip install 'soar-tui[export]'"
        ) from error
    return pyarrow


@contextlib.contextmanager
def parquet_writer(
    path: Path, schema: pa.Schema, *, force: bool, texts: Collection[str] = ()
) -> Iterator[pq.ParquetWriter]:
    """Yield a writer of a new Parquet file (zstd), whole or not at all (see new_file).

    `texts` are columns whose values hardly ever repeat.
    """
    pa = arrow()
    # A dictionary makes cells small; of long texts it would only be a second copy. Bounds of
    # nested columns serve no query and cost as much as writing them.
    flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
    nested = [_leaf(field) for field in schema if pa.types.is_nested(field.type)]
    with (
        new_file(path, force=force) as file,
        pa.parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=[name for name in flat if name not in texts] + nested,
            write_statistics=[name for name in flat if name not in texts],
        ) as writer,
    ):
        yield writer


def _leaf(field: pa.Field) -> str:
    """Return the path of the values of a column of (nested) lists, as Parquet names it."""
    name, kind = str(field.name), field.type
    while arrow().types.is_list(kind):
        name, kind = f"{name}.list.element", kind.value_type
    return name


def grid_type() -> pa.DataType:
    """Return the type of a grid: rows of 64-bit cells, as Hugging Face's datasets hold ARC."""
    pa = arrow()
    return pa.list_(pa.list_(pa.int64()))


def text_array(texts: Sequence[str | None]) -> pa.Array:
    """Return texts as a column; a lone surrogate, which UTF-8 cannot hold, becomes `?`."""
    pa = arrow()
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        valid = [None if t is None else t.encode("utf-8", "replace").decode("utf-8") for t in texts]
        return pa.array(valid, pa.string())


def bits_array(rows: Sequence[Sequence[bool] | None]) -> pa.Array:
    """Return rows of marks as a column of lists."""
    pa = arrow()
    return pa.array(rows, pa.list_(pa.bool_()))


def grids_array(rows: Sequence[Sequence[bytes | None]]) -> pa.Array:
    """Return rows of packed grids as a column: a list of grids, null where there is none.

    Built from the packed bytes at once: Python lists of cells would take longer than all else.
    """
    pa = arrow()
    flat = [grid for row in rows for grid in row]
    known = [grid for grid in flat if grid is not None]
    cells = np.frombuffer(b"".join(grid[2:] for grid in known), np.uint8).astype(np.int64)
    sides = np.frombuffer(b"".join(grid[:2] for grid in known), np.uint8).reshape(-1, 2)
    height, width = sides[:, 0].astype(np.int32), sides[:, 1].astype(np.int32)
    lines = pa.ListArray.from_arrays(_offsets(np.repeat(width, height)), pa.array(cells))
    missing = np.fromiter((grid is None for grid in flat), bool, len(flat))
    heights = np.zeros(len(flat), np.int32)
    heights[~missing] = height
    grids = pa.ListArray.from_arrays(_offsets(heights), lines, mask=pa.array(missing))
    counts = np.fromiter(map(len, rows), np.int32, len(rows))
    return pa.ListArray.from_arrays(_offsets(counts), grids)


def _offsets(lengths: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return arrow().array(offsets)
