"""Programs others have written, row by row: JSONL (plain or .zst) or Parquet.

A row names its task (`task_id`, as in the released SOAR dataset, or `task`) and holds a program
(`code`, or `source`). What it claims to have got right (`correct_train_input`) is read to be
compared, never believed; all other columns are ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import zstandard

TASK, CODE, CLAIM = ("task_id", "task"), ("code", "source"), "correct_train_input"
LONGEST_ROW = 8 << 20
"""Bytes of a line of JSON above which it is not read."""
BATCH = 512


class IntakeError(ValueError):
    """A file of programs that cannot be taken in; the message names the file and why."""


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row: its number from 1, its task, its program, what it claims of the demonstrations.

    `fault` says why it holds no program that could be run (then the rest is empty).
    """

    number: int
    task: str = ""
    source: str = ""
    claim: tuple[bool, ...] | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file's identity, and how many rows it has."""

    digest: str
    rows: int


def look_at(path: Path) -> FileSeen:
    """Return what tells a file from another (a hash of all of it) and how many rows it has.

    Raises IntakeError for a kind of file that is not known and for one that was cut off, OSError
    when it cannot be read.
    """
    _kind(path)
    digest, lines, last = hashlib.blake2b(digest_size=16), 0, b"\n"
    unpacking = _Unpacking(path) if path.suffix == ".zst" else None
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            digest.update(chunk)
            text = chunk if unpacking is None else unpacking.text(chunk)
            lines += text.count(b"\n")
            last = text or last
    if unpacking is not None:
        unpacking.end()
    rows = lines + (not last.endswith(b"\n"))
    if path.suffix == ".parquet":
        with _parquet(path) as parquet:
            rows = parquet.metadata.num_rows
    return FileSeen(digest.hexdigest(), rows)


class _Unpacking:
    """A .zst file's text as it is read; a reader of its stream would not tell that it was cut off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def text(self, chunk: bytes) -> bytes:
        """Return what a chunk holds. Raises IntakeError where it is not zstd."""
        found = []
        while chunk:
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                found.append(self._frame.decompress(chunk))
            except zstandard.ZstdError as error:
                raise IntakeError(f"{self._path}: not zstd: {error}") from error
            chunk = self._frame.unused_data
        return b"".join(found)

    def end(self) -> None:
        """Raise IntakeError unless the last frame is whole."""
        if not self._frame.eof:
            raise IntakeError(f"{self._path}: not zstd, or cut off: its last frame is not whole")


def read_rows(path: Path) -> Iterator[list[GivenRow]]:
    """Yield a file's rows in order, some at a time; a row that is wrong says so itself.

    Raises IntakeError for a file that is not what its name says, OSError when it cannot be read.
    """
    yield from _from_parquet(path) if _kind(path) == ".parquet" else _from_lines(path)


def _kind(path: Path) -> str:
    for suffix in (".jsonl.zst", ".jsonl", ".parquet"):
        if path.name.endswith(suffix):
            return suffix
    raise IntakeError(f"{path}: its name must end in .jsonl, .jsonl.zst or .parquet")


def _from_lines(path: Path) -> Iterator[list[GivenRow]]:
    number, rows = 0, list[GivenRow]()
    with _lines(path) as file:
        try:
            while line := file.readline(LONGEST_ROW):
                number += 1
                if len(line) == LONGEST_ROW and not line.endswith(b"\n"):
                    while (rest := file.readline(LONGEST_ROW)) and not rest.endswith(b"\n"):
                        pass
                    rows.append(GivenRow(number, fault=f"longer than {LONGEST_ROW:,} bytes"))
                elif line.strip():
                    rows.append(_from_json(number, line))
                if len(rows) == BATCH:
                    yield rows
                    rows = []
        except zstandard.ZstdError as error:
            raise IntakeError(f"{path}: not zstd: {error}") from error
    yield rows


@contextlib.contextmanager
def _lines(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix == ".zst":
            with zstandard.ZstdDecompressor().stream_reader(file) as unpacked:
                yield io.BufferedReader(unpacked)
        else:
            yield file


def _from_json(number: int, line: bytes) -> GivenRow:
    try:
        document = _decode(line)
    except (ValueError, RecursionError):
        return GivenRow(number, fault="not JSON")
    if not isinstance(document, dict):
        return GivenRow(number, fault="not a JSON object")
    return _row(number, document)


def _decode(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        # The standard library also reads lone surrogates, which models do write.
        return json.loads(line)


def _from_parquet(path: Path) -> Iterator[list[GivenRow]]:
    with _parquet(path) as parquet:
        names = set(parquet.schema_arrow.names)
        for wanted in (TASK, CODE):
            if not names & set(wanted):
                raise IntakeError(
                    f"{path}: no column {' or '.join(map(repr, wanted))} among "
                    + ", ".join(sorted(names))
                )
        columns = [name for name in (*TASK, *CODE, CLAIM) if name in names]
        number = 0
        for batch in parquet.iter_batches(BATCH, columns=columns):
            rows = [_row(number + at, row) for at, row in enumerate(batch.to_pylist(), 1)]
            number += len(rows)
            yield rows


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise IntakeError(
            f"{path}: Parquet needs pyarrow ({error}); pip install 'soar-tui[export]'"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as parquet:
            yield parquet
    except pyarrow.ArrowException as error:
        raise IntakeError(f"{path}: {error}") from error


def _row(number: int, document: Mapping[str, object]) -> GivenRow:
    task = next((document[name] for name in TASK if name in document), None)
    source = next((document[name] for name in CODE if name in document), None)
    if not isinstance(task, str):
        return GivenRow(number, fault=f"no text in {TASK[0]!r} or {TASK[1]!r}")
    if not isinstance(source, str):
        return GivenRow(number, fault=f"no text in {CODE[0]!r} or {CODE[1]!r}")
    claim = document.get(CLAIM)
    marks = None
    if isinstance(claim, list) and all(isinstance(mark, bool) for mark in claim):
        marks = tuple(claim)
    # A lone surrogate, which no file of Python can hold, becomes a question mark.
    text = source.encode("utf-8", "replace").decode("utf-8")
    return GivenRow(number, task, text, marks)
