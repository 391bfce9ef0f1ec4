"""Writing what a user asked for: whole or not at all, never over something else unasked."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

OnRows: TypeAlias = Callable[[int], None]
"""Hears how many rows have been written so far."""


class ExportError(ValueError):
    """An export that cannot be made as asked; the message says why and what would help."""


def unfinished(path: Path) -> Path:
    """Return where an export lies until it is whole."""
    return path.with_name(path.name + ".part")


@contextlib.contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file to write that becomes `path` when the block ends well.

    What a killed export left behind is begun anew. Raises ExportError when there is a file of that
    name and `force` does not allow to replace it, or while another export is writing it.
    """
    _check(path, force=force)
    part = unfinished(path)
    with part.open("ab") as file:
        _lock(file, path)
        file.truncate(0)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            _check(path, force=force)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def new_folder(path: Path, names: frozenset[str], *, force: bool) -> Iterator[Path]:
    """Yield a folder to fill that becomes `path` when the block ends well.

    `names` are those of the files it may hold. With `force` a folder that holds no others is
    replaced. Raises ExportError like new_file.
    """
    _check(path, force=force)
    if path.exists():
        strange = sorted(entry.name for entry in path.iterdir() if entry.name not in names)
        if strange:
            raise ExportError(
                f"{path}: holds {strange[0]!r}, which no export put there; not replaced"
            )
    part = unfinished(path)
    part.mkdir(exist_ok=True)
    with (part / ".lock").open("ab") as lock:
        _lock(lock, path)
        for entry in part.iterdir():
            if entry.name != ".lock":
                entry.unlink()
        try:
            yield part
            _check(path, force=force)
            (part / ".lock").unlink()
            if path.exists():
                shutil.rmtree(path)
            part.replace(path)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _check(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        kind = "folder" if path.is_dir() else "file"
        raise ExportError(f"{path}: there is a {kind} of that name; --force replaces it")


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ExportError(f"{path}: another export is writing it") from error
