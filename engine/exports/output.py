"""Writing what a user asked for: whole or not at all, never over something else unasked."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

OnProgress: TypeAlias = Callable[[int, int], None]
"""Hears how much is done and how much there is in all."""
LOCK = ".lock"


class ExportError(ValueError):
    """An export that cannot be made as asked; the message says why and what would help."""


def unfinished(path: Path) -> Path:
    """Return where an export lies until it is whole: a file, or the folder of one that can go on."""
    return path.with_name(path.name + ".part")


@contextlib.contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file to write that becomes `path` when the block ends well.

    What a killed export left behind is begun anew. Raises ExportError when there is a folder of that
    name, or a file that `force` does not allow to replace, or while another export is writing it.
    """
    check_free(path, force=force)
    part = unfinished(path)
    if part.is_dir():
        if any(part.iterdir()) and not (part / LOCK).exists():
            raise ExportError(f"{part}: in the way, and no export put it there")
        with locked(part / LOCK, path):
            shutil.rmtree(part)
    with locked(part, path) as file:
        file.truncate(0)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            check_free(path, force=force)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def check_free(path: Path, *, force: bool, as_folder: bool = False) -> None:
    """Raise ExportError when something has that name and `force` does not allow to replace it.

    A folder never takes the place of a file, nor a file that of a folder.
    """
    if not path.exists():
        return
    there, wanted = ("folder" if one else "file" for one in (path.is_dir(), as_folder))
    if there != wanted:
        raise ExportError(f"{path}: there is a {there} of that name, which no {wanted} replaces")
    if not force:
        raise ExportError(f"{path}: there is a {there} of that name; --force replaces it")


@contextlib.contextmanager
def locked(file: Path, path: Path) -> Iterator[BinaryIO]:
    """Yield a file to append to that no other export of `path` can have meanwhile.

    Raises ExportError when one has it.
    """
    with file.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportError(f"{path}: another export is writing it") from error
        yield held


def durably(path: Path, data: bytes) -> None:
    """Put a small file there, whole or not at all, so that it survives a power cut."""
    unwritten = path.with_name(path.name + ".new")
    with unwritten.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unwritten.replace(path)


def cut(path: Path, size: int) -> None:
    """Leave a file its first bytes; one that is not there comes to be.

    Raises ExportError when it has fewer.
    """
    with path.open("ab") as file:
        if file.tell() < size:
            raise ExportError(f"{path}: shorter than it was; delete {path.parent} to begin anew")
        file.truncate(size)
