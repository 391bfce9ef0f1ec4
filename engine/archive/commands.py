"""Commands to a running engine, as rows of control.db: queued, accepted, then done or rejected.

Anyone may send a command and look at what became of it; only the engine, through its
CommandQueue, accepts and answers.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from engine.archive.database import explain, open_to_read, open_to_write
from engine.archive.rows import Command
from engine.archive.schema import CONTROL, ArchiveError

_COLUMNS = "id, name, payload, state, reply, sent, answered"


def send(folder: Path, name: str, payload: object = None) -> int:
    """Queue a command for the engine of a run and return its id.

    The payload is plain data. Raises ArchiveError when the folder cannot be written, TypeError for
    a payload that JSON cannot hold.
    """
    text = json.dumps(msgspec.to_builtins(payload))
    with closing(open_to_write(folder, CONTROL)) as sql, _changing(sql, folder):
        row = sql.execute(
            "INSERT INTO command (name, payload, state, sent) VALUES (?, ?, 'queued', ?)",
            (name, text, time.time()),
        )
    assert row.lastrowid is not None
    return row.lastrowid


def reply(folder: Path, identifier: int) -> Command:
    """Return a command as it stands, with its reply once it has one.

    Raises ArchiveError when there is no such command.
    """
    found = _read(folder, "WHERE id = ?", (identifier,))
    if not found:
        raise ArchiveError(f"{folder / CONTROL.file}: no command {identifier}")
    return found[0]


def recent(folder: Path, limit: int = 100) -> list[Command]:
    """Return the newest commands, newest first. Raises ArchiveError."""
    return _read(folder, "ORDER BY id DESC LIMIT ?", (limit,))


class CommandQueue:
    """The engine's side of a run's commands; a context manager.

    Raises ArchiveError when control.db cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sql = open_to_write(folder, CONTROL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sql.close()

    def poll(self) -> list[Command]:
        """Return the queued commands, oldest first."""
        return self._select("queued")

    def interrupted(self) -> list[Command]:
        """Return the commands that an engine accepted and did not live to answer."""
        return self._select("accepted")

    def accept(self, identifier: int) -> None:
        """Take up a queued command. Raises ArchiveError if it is not queued."""
        self._move(identifier, "accepted", None, ("queued",))

    def finish(self, identifier: int, text: str = "") -> None:
        """Answer a command that was carried out. Raises ArchiveError if it is answered already."""
        self._move(identifier, "done", text, ("queued", "accepted"))

    def reject(self, identifier: int, text: str) -> None:
        """Answer a command that will not be carried out, saying why.

        Raises ArchiveError if it is answered already.
        """
        self._move(identifier, "rejected", text, ("queued", "accepted"))

    def _select(self, state: str) -> list[Command]:
        try:
            return _commands(self._sql, "WHERE state = ? ORDER BY id", (state,))
        except sqlite3.Error as error:
            raise explain(error, self._folder / CONTROL.file) from error

    def _move(
        self, identifier: int, state: str, text: str | None, allowed: tuple[str, ...]
    ) -> None:
        with _changing(self._sql, self._folder):
            row = self._sql.execute(
                "SELECT state FROM command WHERE id = ?", (identifier,)
            ).fetchone()
            if row is None or row[0] not in allowed:
                stands = "does not exist" if row is None else f"is {row[0]}"
                raise ArchiveError(
                    f"{self._folder / CONTROL.file}: command {identifier} {stands}, so it cannot "
                    f"become {state}"
                )
            # Replies quote models and endpoints; what UTF-8 cannot hold is shown escaped.
            plain = None if text is None else text.encode("utf-8", "backslashreplace").decode()
            self._sql.execute(
                "UPDATE command SET state = ?, reply = ?, answered = ? WHERE id = ?",
                (state, plain, None if text is None else time.time(), identifier),
            )


@contextmanager
def _changing(sql: sqlite3.Connection, folder: Path) -> Iterator[None]:
    try:
        sql.execute("BEGIN IMMEDIATE")
        yield
        sql.execute("COMMIT")
    except sqlite3.Error as error:
        raise explain(error, folder / CONTROL.file) from error
    finally:
        sql.rollback()


def _read(folder: Path, clause: str, values: tuple[Any, ...]) -> list[Command]:
    if not (folder / CONTROL.file).exists():
        return []
    try:
        with closing(open_to_read(folder, CONTROL)) as sql:
            return _commands(sql, clause, values)
    except sqlite3.Error as error:
        raise explain(error, folder / CONTROL.file) from error


def _commands(sql: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> list[Command]:
    rows = sql.execute(f"SELECT {_COLUMNS} FROM command {clause}", values).fetchall()  # noqa: S608 - our own clauses
    return [
        Command(identifier, name, json.loads(payload), state, text, sent, answered)
        for identifier, name, payload, state, text, sent, answered in rows
    ]
