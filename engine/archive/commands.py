"""Commands to a running engine, as rows of control.db: queued, accepted, then done or rejected.

Anyone may send a command and look at what became of it; only the engine accepts and answers. Each
call opens the file and lets go of it again, so neither side can block or outlive the other.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.database import explain, open_to_read, open_to_write
from engine.archive.rows import Command
from engine.archive.schema import CONTROL, ArchiveError, MissingFileError

_COLUMNS = "id, name, payload, state, reply, sent, answered"


def send(folder: Path, name: str, payload: object = None) -> int:
    """Queue a command for the engine of a run and return its id.

    The payload is plain data. Raises ArchiveError when the folder cannot be written, TypeError for
    a payload that JSON cannot hold.
    """
    text = json.dumps(msgspec.to_builtins(payload))
    with _writing(folder) as sql:
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


def poll(folder: Path) -> list[Command]:
    """Return the queued commands, oldest first. Raises ArchiveError."""
    return _read(folder, "WHERE state = 'queued' ORDER BY id", ())


def unanswered(folder: Path) -> list[Command]:
    """Return the commands queued or accepted, oldest first: what an engine that starts finds."""
    return _read(folder, "WHERE state IN ('queued', 'accepted') ORDER BY id", ())


def accept(folder: Path, identifier: int) -> None:
    """Take up a queued command. Raises ArchiveError if it is not queued."""
    _move(folder, identifier, "accepted", None, ("queued",))


def finish(folder: Path, identifier: int, text: str = "") -> None:
    """Answer a command that was carried out. Raises ArchiveError if it is answered already."""
    _move(folder, identifier, "done", text, ("queued", "accepted"))


def reject(folder: Path, identifier: int, text: str) -> None:
    """Answer a command that will not be carried out, saying why.

    Raises ArchiveError if it is answered already.
    """
    _move(folder, identifier, "rejected", text, ("queued", "accepted"))


def _move(
    folder: Path, identifier: int, state: str, text: str | None, allowed: tuple[str, ...]
) -> None:
    with _writing(folder) as sql:
        row = sql.execute("SELECT state FROM command WHERE id = ?", (identifier,)).fetchone()
        if row is None or row[0] not in allowed:
            stands = "does not exist" if row is None else f"is {row[0]}"
            raise ArchiveError(
                f"{folder / CONTROL.file}: command {identifier} {stands}, so it cannot become "
                f"{state}"
            )
        # Replies quote models and endpoints; what UTF-8 cannot hold is shown escaped.
        plain = None if text is None else text.encode("utf-8", "backslashreplace").decode()
        sql.execute(
            "UPDATE command SET state = ?, reply = ?, answered = ? WHERE id = ?",
            (state, plain, None if text is None else time.time(), identifier),
        )


@contextmanager
def _writing(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_to_write(folder, CONTROL)) as sql:
        try:
            sql.execute("BEGIN IMMEDIATE")
            yield sql
            sql.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain(error, folder / CONTROL.file) from error
        finally:
            sql.rollback()


def _read(folder: Path, clause: str, values: tuple[Any, ...]) -> list[Command]:
    try:
        with closing(open_to_read(folder, CONTROL)) as sql:
            return _commands(sql, clause, values)
    except MissingFileError:
        return []
    except sqlite3.Error as error:
        raise explain(error, folder / CONTROL.file) from error


def _commands(sql: sqlite3.Connection, clause: str, values: tuple[Any, ...]) -> list[Command]:
    rows = sql.execute(f"SELECT {_COLUMNS} FROM command {clause}", values).fetchall()  # noqa: S608 - our own clauses
    return [
        Command(identifier, name, json.loads(payload), state, text, sent, answered)
        for identifier, name, payload, state, text, sent, answered in rows
    ]
