"""A training example as a chat, made from the example or, far faster, from its line of a dataset.

Of a line only what the chat shows is read; its grids never become arrays.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final

import msgspec

from engine.arc.grid import MAX_SIDE
from engine.learning.dataset import DatasetError, parse_example
from engine.learning.example import Example
from engine.learning.trainers.rows import Row, shown_row, training_row
from engine.policies.llm.prompts import Messages
from engine.policies.llm.puzzle import Attempt, Drawn, Puzzle, drawn
from engine.programs.candidate import Failure

_PUZZLES: Final = 16
_GRIDS: Final = 512
"""Texts that are kept: a task comes again with its next examples, its inputs with all of them."""


class Chat(Row):
    """A row of an export: the messages to train on, and where they come from."""

    task_id: str
    origin: str
    candidate: int


def chat(example: Example) -> Chat:
    """Return an example as a row. Raises ValueError as the prompts do."""
    row = training_row(example)
    return _chat(row, example.task.id, example.origin, example.candidate)


def line_chat(line: bytes, place: str) -> Chat:
    """Return a dataset's line as the row of its example; `place` names it in errors.

    Raises DatasetError.
    """
    try:
        return _short(line)
    except (ValueError, msgspec.DecodeError):
        # Only lines as write_dataset writes them are read the short way; the long way reads every
        # other too, and says what is wrong with it.
        example = parse_example(line, place)
    try:
        return chat(example)
    except ValueError as error:
        raise DatasetError(f"{place}: {error}") from error


def json_line(row: Chat) -> bytes:
    """Return a row as json.dumps writes it, ASCII only, with a line end."""
    return b'{"prompt": %b, "completion": %b, "task_id": %b, "origin": %b, "candidate": %d}\n' % (
        _json_messages(row["prompt"]),
        _json_messages(row["completion"]),
        _json_text(row["task_id"]),
        _json_text(row["origin"]),
        row["candidate"],
    )


def _chat(row: Row, task: str, origin: str, candidate: int) -> Chat:
    return {
        "prompt": row["prompt"],
        "completion": row["completion"],
        "task_id": task,
        "origin": origin,
        "candidate": candidate,
    }


class _Task(msgspec.Struct):
    id: str


class _Parent(msgspec.Struct):
    id: int
    source: str
    right: list[bool]
    results: list[msgspec.Raw]


class _Line(msgspec.Struct):
    origin: str
    candidate: int
    task: _Task
    source: str
    parent: _Parent | None = None


_NEXT: Final = b'},{"input":'
_BLANKED: Final = bytes.maketrans(b"123456789", b"000000000")
_SPACED: Final = bytes.maketrans(b",", b" ")

_read = msgspec.json.Decoder(_Line).decode
_read_failure = msgspec.json.Decoder(Failure).decode
_encode = msgspec.json.Encoder().encode


def _short(line: bytes) -> Chat:
    """Read a line that is as write_dataset writes it; raises ValueError or DecodeError otherwise."""
    # A JSON reader would take longest over the grids. No text in JSON holds a bare quote, so these
    # are found at once; that nothing else is between them, _grid sees.
    head, _, rest = line.partition(b',"train":[{"input":')
    grids, end, tail = rest.partition(b'}]},"source":')
    if not (end and line.isascii()):
        raise ValueError
    read = _read(b'%b},"source":%b' % (head, tail))
    shown = Puzzle(read.task.id, *_shown(grids))
    parent, tried = read.parent, None
    if parent is not None:
        results = [_result(bytes(result)) for result in parent.results]
        tried = Attempt(parent.id, parent.source, results, parent.right)
    return _chat(shown_row(shown, tried, read.source), shown.id, read.origin, read.candidate)


@lru_cache(maxsize=_PUZZLES)
def _shown(grids: bytes) -> tuple[list[tuple[Drawn, Drawn]], list[Drawn]]:
    """Return a task's pairs and test inputs; raises ValueError where anything else is there."""
    train, _, test = grids.partition(b'}],"test":[{"input":')
    pairs = [pair.partition(b',"output":') for pair in train.split(_NEXT)]
    return (
        [(_grid(given), _grid(output)) for given, _, output in pairs],
        [_grid(given) for given in test.split(_NEXT)],
    )


def _result(document: bytes) -> Drawn | Failure:
    return _read_failure(document) if document.startswith(b"{") else _grid(document)


@lru_cache(maxsize=_GRIDS)
def _grid(cells: bytes) -> Drawn:
    """Return rows of cells in JSON without spaces as a prompt shows them.

    Both texts are the same but for what stands between cells and between rows. Raises ValueError
    for any other text.
    """
    rows, columns = cells.count(b"]") - 1, (cells.index(b"]") - 1) // 2
    if cells.translate(_BLANKED) != _blank(rows, columns):
        raise ValueError
    text = cells.translate(_SPACED).replace(b"] [", b"]\n [")
    return drawn(rows, columns, text.decode("ascii"))


@lru_cache(maxsize=MAX_SIDE * MAX_SIDE)
def _blank(rows: int, columns: int) -> bytes:
    """Return a grid of zeros in JSON without spaces."""
    if not (1 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
        raise ValueError
    row = b"[" + b",".join([b"0"] * columns) + b"]"
    return b"[" + b",".join([row] * rows) + b"]"


def _json_messages(messages: Messages) -> bytes:
    written = [
        b'{"role": "%b", "content": %b}' % (one["role"].encode(), _json_text(one["content"]))
        for one in messages
    ]
    return b"[" + b", ".join(written) + b"]"


def _json_text(text: str) -> bytes:
    # msgspec is several times as fast, and escapes all of ASCII as json does but DEL.
    if text.isascii() and "\x7f" not in text:
        return _encode(text)
    return json.dumps(text).encode("ascii")
