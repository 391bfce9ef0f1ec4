"""Parquet through pyarrow: grids as nested lists, rows written in groups so that memory stays flat."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from engine.exports.output import ExportError, cut, durably

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP = 8192
"""Rows of a group."""
_AHEAD = 2
"""Groups held in memory beside the one that is read: one is made, one is written."""


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


class GrowingParquet:
    """A Parquet file (zstd) that grows in place and can be gone on with after a kill.

    Its row groups are written in pieces. Closing one puts its footer aside, so that only whole row
    groups are in the file; the footers together become the file's own in the end. `texts` are
    columns whose values hardly ever repeat; `size` bytes of the file count, and so many `pieces`.
    """

    def __init__(
        self,
        file: Path,
        footers: Path,
        schema: pa.Schema,
        *,
        texts: Collection[str] = (),
        size: int = 0,
        pieces: int = 0,
    ) -> None:
        self._file, self._footers, self._schema, self._texts = file, footers, schema, texts
        self._piece: tuple[Any, pq.ParquetWriter] | None = None
        self._maker, self._writer = (ThreadPoolExecutor(1, name) for name in ("make", "write"))
        self._writing: deque[Future[None]] = deque()
        self.size, self.pieces = size, pieces
        cut(file, size)

    def write_batch(self, make: Callable[[], pa.RecordBatch]) -> None:
        """Make and write a row group, in threads beside the reading of the next one's rows."""
        writer = self._open()
        self._wait(_AHEAD - 1)
        made = self._maker.submit(make)
        self._writing.append(self._writer.submit(lambda: writer.write_batch(made.result())))

    def commit(self) -> None:
        """Put what was written on the disk, so that `size` and `pieces` count it."""
        if self._piece is None:
            return
        self._close()
        with self._file.open("r+b") as file:
            file.seek(-8, os.SEEK_END)
            footer = int.from_bytes(file.read(4), "little") + 8
            file.seek(-footer, os.SEEK_END)
            durably(self._footer(self.pieces), b"PAR1" + file.read())
            self.size = file.seek(-footer, os.SEEK_END)
            file.truncate()
            os.fsync(file.fileno())
        self.pieces += 1

    def finish(self) -> None:
        """Make the file whole."""
        if not self.pieces:
            self._open()
        self.commit()
        whole, *others = (
            arrow().parquet.read_metadata(self._footer(piece)) for piece in range(self.pieces)
        )
        for other in others:
            whole.append_row_groups(other)
        with self._file.open("ab") as file:
            whole.write_metadata_file(file)
            file.flush()
            os.fsync(file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._piece is not None:
                self._close()
        finally:
            self._maker.shutdown()
            self._writer.shutdown()

    def _wait(self, left: int = 0) -> None:
        """Wait until at most so many row groups are under way."""
        while len(self._writing) > left:
            self._writing.popleft().result()

    def _footer(self, piece: int) -> Path:
        return self._footers / f"footer-{piece}"

    def _open(self) -> pq.ParquetWriter:
        if self._piece is None:
            pa = arrow()
            sink = pa.OSFile(str(self._file), "ab")
            # A writer begins at 0 only, and takes row groups to lie where its file then is.
            os.lseek(sink.fileno(), 0, os.SEEK_SET)
            # A dictionary makes cells small; of long texts it would only be a second copy. Bounds of
            # nested columns serve no query and cost as much as writing them.
            flat = [field.name for field in self._schema if not pa.types.is_nested(field.type)]
            nested = [_leaf(field) for field in self._schema if pa.types.is_nested(field.type)]
            short = [name for name in flat if name not in self._texts]
            writer = pa.parquet.ParquetWriter(
                sink,
                self._schema,
                compression="zstd",
                use_dictionary=short + nested,
                write_statistics=short,
            )
            os.lseek(sink.fileno(), 0, os.SEEK_END)
            self._piece = sink, writer
        return self._piece[1]

    def _close(self) -> None:
        assert self._piece is not None
        sink, writer = self._piece
        self._piece = None
        with sink:
            try:
                self._wait()
            finally:
                writer.close()


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
    packed = np.frombuffer(b"".join(known), np.uint8)
    lengths = np.fromiter(map(len, known), np.int64, len(known))
    starts = np.cumsum(lengths) - lengths
    height, width = packed[starts].astype(np.int32), packed[starts + 1].astype(np.int32)
    is_cell = np.ones(len(packed), bool)
    is_cell[starts] = is_cell[starts + 1] = False
    cells = packed[is_cell].astype(np.int64)
    lines = pa.ListArray.from_arrays(_offsets(np.repeat(width, height)), pa.array(cells))
    missing = np.array([grid is None for grid in flat], bool)
    heights = np.zeros(len(flat), np.int32)
    heights[~missing] = height
    grids = pa.ListArray.from_arrays(_offsets(heights), lines, mask=pa.array(missing))
    counts = np.fromiter(map(len, rows), np.int32, len(rows))
    return pa.ListArray.from_arrays(_offsets(counts), grids)


def _offsets(lengths: np.ndarray[Any, np.dtype[np.int32]]) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return arrow().array(offsets)
