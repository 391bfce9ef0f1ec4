"""Opening a run folder's SQLite files: to write (created or migrated) and to read (never changed).

Every file of a run is in WAL mode, so that readers never wait for the writer nor it for them, and
a commit survives kill -9 of any process.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from engine.archive.schema import ArchiveError, MissingFileError, Schema

LOG_BYTES = 32 << 20
"""A write-ahead log above this is merged and cut off at the next chance, not just reused."""

_APPLICATION_ID = 0x534F4152  # "SOAR", so that file(1) and we can tell our files from others
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
_BUSY_SECONDS = 10.0
_RETRY_SECONDS = 0.005
_CHECKPOINT_PAGES = 4000
_MERGE_SECONDS = 1.0
_WRITER_CACHE_KIB = 64 << 10
_READER_CACHE_KIB = 16 << 10


def open_to_write(folder: Path, schema: Schema) -> sqlite3.Connection:
    """Open a file of a run folder for writing, created if absent, migrated if of an older version.

    The connection is in autocommit mode (transactions are begun by hand) and may be used from any
    one thread at a time. Raises ArchiveError: no such folder, not ours, of a newer version, a file
    system without WAL, no permission, no space.
    """
    path = folder / schema.file
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise ArchiveError(
            f"SQLite {sqlite3.sqlite_version} is too old for {path}: at least 3.37 is needed"
        )
    if not folder.is_dir():
        raise ArchiveError(f"{folder}: no such folder")
    try:
        connection = _connect(path, "rwc")
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        _check_version(connection, path, schema)
        enter_wal(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
        _migrate(connection, schema)
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(folder: Path, schema: Schema) -> sqlite3.Connection:
    """Open a file of a run folder read-only, while it is being written or after a crash.

    In a folder where nothing can be created a file without unmerged WAL is read as it is. Raises
    MissingFileError, or ArchiveError: not ours, of another version, not readable where it lies.
    """
    path = folder / schema.file
    if not path.exists():
        raise MissingFileError(f"{folder}: no {schema.file} there, so no engine has run in it")
    try:
        connection = _connect(path, "ro")
        try:
            version = _check_version(connection, path, schema)
        except sqlite3.OperationalError:
            connection.close()
            connection = _open_immutable(path)
            version = _check_version(connection, path, schema)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    if version == 0:
        connection.close()
        raise MissingFileError(f"{path}: nothing in it yet")
    if version < schema.version:
        connection.close()
        raise ArchiveError(
            f"{path}: written by an older version of this program; start its engine once to "
            "bring it up to date"
        )
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
    return connection


def _open_immutable(path: Path) -> sqlite3.Connection:
    """Open a file whose -shm cannot be created (a read-only folder) as one that nobody changes."""
    wal = path.with_name(path.name + "-wal")
    if os.access(path.parent, os.W_OK):
        return _connect(path, "ro")
    if wal.exists() and wal.stat().st_size > 0:
        raise ArchiveError(
            f"{path}: its last commits are still in {wal.name}, which cannot be merged in a "
            "read-only folder; copy the folder to a place where you may write and open that"
        )
    return _connect(path, "ro", "&immutable=1")


def explain(error: sqlite3.Error, path: Path) -> ArchiveError:
    """Return what an SQLite error means for a run, as an ArchiveError to raise."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    hints = {
        sqlite3.SQLITE_FULL: "the disk is full; free some space and start the engine again",
        sqlite3.SQLITE_READONLY: "it may not be written (read-only file, folder or disk)",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened or created (permissions, a missing folder)",
        sqlite3.SQLITE_BUSY: "another process keeps it locked; is a second engine running?",
        sqlite3.SQLITE_CORRUPT: "it is damaged; restore it from a copy",
        sqlite3.SQLITE_NOTADB: "it is not an SQLite file",
        sqlite3.SQLITE_IOERR: "the disk failed to read or write it",
        sqlite3.SQLITE_CONSTRAINT: "this was recorded before, or refers to what is not there",
    }
    hint = hints.get(code)
    return ArchiveError(f"{path}: {hint} ({error})" if hint else f"{path}: {error}")


def _connect(path: Path, mode: str, options: str = "") -> sqlite3.Connection:
    connection = sqlite3.connect(
        # As bytes: a folder's name need not be UTF-8.
        f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}{options}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    # Text of models and endpoints may hold lone surrogates, which strict UTF-8 would refuse.
    connection.text_factory = _decode
    return connection


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def enter_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Put a database in WAL mode. Raises ArchiveError where the file system cannot do it."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself when several processes make a file at once.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
    if mode != "wal":
        raise ArchiveError(
            f"{path}: this file system cannot share memory between processes (SQLite's WAL mode), "
            "as is usual for network folders; put the run on a local disk (SOAR_HOME)"
        )


def merge_log(connection: sqlite3.Connection) -> bool:
    """Merge a writer's write-ahead log into its file and cut it to nothing.

    Returns whether it could be: readers inside a transaction are waited for, a second at most.
    """
    connection.execute(f"PRAGMA busy_timeout = {round(_MERGE_SECONDS * 1000)}")
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(_BUSY_SECONDS * 1000)}")
    return not busy


def _check_version(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """Return the file's version. Raises ArchiveError for a foreign or a newer file."""
    connection.execute("BEGIN")  # so that all three are of one moment
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    finally:
        connection.rollback()
    if application != _APPLICATION_ID and tables:
        raise ArchiveError(f"{path}: an SQLite file of some other program")
    if version > schema.version:
        raise ArchiveError(
            f"{path}: version {version}, written by a newer version of this program, which knows "
            f"only up to {schema.version}; update it to open this run"
        )
    return version


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring a file to the newest version, all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again under the lock: another process may have migrated it just now.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for script in schema.migrations[version:]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema.version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
