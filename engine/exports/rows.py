"""Rows of an archive written as lines of JSON or as Parquet, from any of their portions on."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, Self, TypeVar

from engine.exports.output import OnProgress, cut
from engine.exports.parquet import GrowingParquet
from engine.exports.resuming import CONTENT, FORM, Mark, OnFound, Part, digest, going_on

if TYPE_CHECKING:
    import pyarrow as pa

PIECE: Final = 65_536
"""Rows after which an export that is cut off would go on, at the end of a portion."""
_AT_ONCE: Final = 64
"""Rows made into lines at once: so few that the processor's cache still holds them."""
_HELD: Final = 1 << 23
"""Bytes of lines that are put on the disk at once."""
_AHEAD: Final = 2
"""How many times that may be under way to the disk while more is made."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """Rows in portions: those of a task, of a part of a file.

    `portions` gives them from one on, each to be read before the next; `stamp` says what the archive
    now has of the first so many; `weights` count the `what` of each, to see progress by. Rows of
    another `job` are other rows. `left_out` counts what is not among them, by reason, while they are read.
    """

    job: str
    portions: Callable[[int], Iterator[Iterable[T]]]
    stamp: Callable[[int], str]
    what: str
    weights: Sequence[int]
    left_out: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self.portions(0))


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How rows are written: as lines, or as batches of columns, a `group` of rows each.

    `texts` are columns whose values hardly ever repeat.
    """

    group: int
    lines: Callable[[Sequence[T]], bytes]
    schema: Callable[[], pa.Schema]
    batch: Callable[[Sequence[T]], pa.RecordBatch]
    texts: tuple[str, ...]


def write_stream(rows: Iterable[T], form: Form[T], file: BinaryIO, on_progress: OnProgress) -> int:
    """Write rows as lines to where they cannot be taken back from, and return how many."""
    given = _in_portions(rows)
    count, done, whole = 0, 0, sum(given.weights)
    for portion, weight in zip(given.portions(0), given.weights, strict=True):
        for group in _groups(portion, _AT_ONCE):
            file.write(form.lines(group))
            count += len(group)
        done += weight
        on_progress(done, whole)
    return count


def write_rows(
    rows: Iterable[T],
    form: Form[T],
    path: Path,
    *,
    force: bool,
    on_progress: OnProgress,
    on_found: OnFound,
    every: int = PIECE,
) -> int:
    """Write rows as a new file, Parquet or lines by its name, and return how many.

    An export of the same rows that was cut off goes on where it was; `every` so many rows it is
    made sure of what is written. Raises ExportError.
    """
    given = _in_portions(rows)
    parquet = path.suffix == ".parquet"
    job = digest(FORM, given.job, form.schema().to_string() if parquet else "lines")
    with going_on(path, job, lambda mark: given.stamp(_place(mark)), on_found, force=force) as part:
        given.left_out.update(part.mark.left_out)
        size = form.group if parquet else _AT_ONCE
        with _Batches(part, form) if parquet else _Lines(part, form) as out:
            return _write(given, out, size, part, on_progress=on_progress, every=every)


def _write(
    given: Rows[T],
    out: _Batches[T] | _Lines[T],
    size: int,
    part: Part,
    *,
    on_progress: OnProgress,
    every: int,
) -> int:
    first, whole = _place(part.mark), sum(given.weights)
    count = marked = part.mark.rows.get(CONTENT, 0)
    done = sum(given.weights[:first])
    on_progress(done, whole)
    group: list[T] = []
    weights = given.weights[first:]
    for place, (portion, weight) in enumerate(
        zip(given.portions(first), weights, strict=True), first + 1
    ):
        rows = iter(portion)
        while taken := list(islice(rows, size - len(group))):
            group += taken
            count += len(taken)
            if len(group) == size:
                out.write(group)
                group = []
        done += weight
        if count - marked >= every and place < len(given.weights):
            if group:
                out.write(group)
                group = []
            out.commit()
            marked = count
            part.advance(
                Mark(
                    part.mark.job,
                    given.stamp(place),
                    (place,),
                    {CONTENT: count},
                    out.size,
                    out.pieces,
                    dict(given.left_out),
                )
            )
        on_progress(done, whole)
    if group:
        out.write(group)
    out.finish()
    return count


def _place(mark: Mark) -> int:
    return mark.place[0] if mark.place else 0


class _Lines(Generic[T]):
    """A file of lines that grows in place, put on the disk in a thread while the next are made."""

    pieces = 0

    def __init__(self, part: Part, form: Form[T]) -> None:
        self.size = part.mark.size
        cut(part.content, self.size)
        self._form, self._file = form, part.content.open("ab")
        self._writer = ThreadPoolExecutor(1, "write")
        self._writing: deque[Future[None]] = deque()
        self._held: list[bytes] = []
        self._given = self.size

    def write(self, group: Sequence[T]) -> None:
        lines = self._form.lines(group)
        self._held.append(lines)
        self.size += len(lines)
        if self.size - self._given >= _HELD:
            self._give(left=_AHEAD)

    def commit(self) -> None:
        self._give(left=0)

    finish = commit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown()
        self._file.close()

    def _give(self, left: int) -> None:
        """Give what is held to the thread, and wait until at most so many are under way."""
        self._writing.append(self._writer.submit(self._put, self._held))
        self._held, self._given = [], self.size
        while len(self._writing) > left:
            self._writing.popleft().result()

    def _put(self, lines: list[bytes]) -> None:
        # Synced each time, or nothing would be made while a commit waits for the disk.
        self._file.writelines(lines)
        self._file.flush()
        os.fsync(self._file.fileno())


class _Batches(GrowingParquet, Generic[T]):
    """A Parquet file that grows in place, a row group per group of rows."""

    def __init__(self, part: Part, form: Form[T]) -> None:
        self._batch = form.batch
        super().__init__(
            part.content,
            part.folder,
            form.schema(),
            texts=form.texts,
            size=part.mark.size,
            pieces=part.mark.pieces,
        )

    def write(self, group: Sequence[T]) -> None:
        self.write_batch(partial(self._batch, group))


def _in_portions(rows: Iterable[T]) -> Rows[T]:
    """Return rows that come from anywhere as one portion, which is never gone on with."""
    if isinstance(rows, Rows):
        return rows
    return Rows("", lambda first: iter([rows][first:]), str, "portions", (1,))


def _groups(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    given = iter(rows)
    while group := list(islice(given, size)):
        yield group
