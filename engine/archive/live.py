"""Status rows: how things stand now, overwritten in place in live.db; worth nothing afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from engine.archive.database import open_to_read, open_to_write
from engine.archive.rows import Status
from engine.archive.schema import LIVE, MissingFileError


def open_live(folder: Path) -> sqlite3.Connection:
    """Open a run's live.db for writing, created if absent. Raises ArchiveError."""
    return open_to_write(folder, LIVE)


def encode_status(value: object) -> str:
    """Return a status value (plain data, dataclasses, structs) as JSON text.

    Raises TypeError for what JSON cannot hold.
    """
    return json.dumps(msgspec.to_builtins(value))


def write_statuses(connection: sqlite3.Connection, values: Mapping[str, str], now: float) -> None:
    """Overwrite the named statuses with JSON texts, all or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(
            "INSERT INTO status VALUES (?1, ?2, ?3) "
            "ON CONFLICT DO UPDATE SET value = ?2, updated = ?3",
            [(key, value, now) for key, value in values.items()],
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def read_statuses(folder: Path) -> dict[str, Status]:
    """Return all statuses of a run by key; none when its engine has never run.

    Raises ArchiveError when live.db is there but cannot be read.
    """
    try:
        with closing(open_to_read(folder, LIVE)) as sql:
            rows = sql.execute("SELECT key, value, updated FROM status ORDER BY key").fetchall()
    except MissingFileError:
        return {}
    return {key: Status(key, json.loads(value), updated) for key, value, updated in rows}
