"""The lock that says an engine is alive: true also after kill -9, over SSH drops and reboots."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from engine.control.folder import RunFolderError

LOCK_NAME = "engine.lock"
LATER = "try again when that is done"
_WORD_BYTES = 1024
_LINE_BYTES = 64


class EngineRunningError(RunFolderError):
    """Another engine holds the run folder's lock."""


class EngineLock:
    """Holds `engine.lock` of a run folder for as long as it is entered.

    The kernel gives the lock back when the process ends, however it ends. The file holds the
    engine's process id, and below it what `say` was given last. Who holds it `passing`, to keep
    engines off a folder for a while, gives a word for what is done to the run ("repaired"), which
    stands behind its process id, and leaves the last engine's words as they were. Raises
    EngineRunningError when it is taken.
    """

    def __init__(self, folder: Path, *, passing: str | None = None) -> None:
        self._path = folder / LOCK_NAME
        self._passing = passing
        self._before = b""
        self._descriptor: int | None = None

    def __enter__(self) -> EngineLock:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _take(descriptor):
            process, doing = _holder(_first_line(descriptor))
            os.close(descriptor)
            if doing is not None:
                raise EngineRunningError(f"{self._path.parent}: {_being(process, doing)}; {LATER}")
            raise EngineRunningError(
                f"{self._path.parent}: an engine is running already (process {process or '?'})"
            )
        self._before = os.pread(descriptor, _WORD_BYTES, 0)
        self._descriptor = descriptor
        mark = "" if self._passing is None else f" {self._passing}"
        self._write(f"{os.getpid()}{mark}\n".encode())
        return self

    def say(self, reason: str) -> None:
        """Leave word of why this engine ends, for when the archive cannot be written any more.

        The file has its block on the disk since it was locked, so this works on a full one.
        """
        assert self._descriptor is not None
        text = f"{os.getpid()}\n{' '.join(reason.split())}\n".encode()[:_WORD_BYTES]
        with contextlib.suppress(OSError):
            self._write(text)

    def _write(self, text: bytes) -> None:
        assert self._descriptor is not None
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._descriptor is not None
        if self._passing is not None:
            self._write(self._before)
        os.close(self._descriptor)
        self._descriptor = None


def _take(descriptor: int) -> bool:
    # A watcher's probe holds the lock for microseconds; only an engine holds it longer.
    for attempt in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01 * (attempt > 0))
        else:
            return True
    return False


def _first_line(descriptor: int) -> str:
    return os.pread(descriptor, _LINE_BYTES, 0).decode(errors="replace").partition("\n")[0]


def _holder(line: str) -> tuple[int | None, str | None]:
    """Return the process id in a lock's first line, and what is done to the run in passing."""
    process, _, doing = line.partition(" ")
    return int(process) if process.isdecimal() else None, doing or None


def _being(process: int | None, doing: str) -> str:
    return f"the run is being {doing} by process {process or '?'}"


def _held(folder: Path) -> str | None:
    """Return the first line of a folder's lock, or None when nobody holds it right now."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # A shared probe, so that two watchers never mistake each other for an engine.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _first_line(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def engine_alive(folder: Path) -> bool:
    """Whether an engine, and not somebody in passing, holds the folder's lock right now."""
    line = _held(folder)
    return line is not None and _holder(line)[1] is None


def engine_process(folder: Path) -> int | None:
    """Return the process id of the engine that holds the lock, or None when none does."""
    if not engine_alive(folder):
        return None
    return last_words(folder)[0]


def tended(folder: Path) -> str | None:
    """Return what is done to a run in passing, and by whom, while no engine may start; or None."""
    line = _held(folder)
    if line is None:
        return None
    process, doing = _holder(line)
    return None if doing is None else _being(process, doing)


def last_words(folder: Path) -> tuple[int | None, str | None]:
    """Return the process id of the last engine, and what it left word of, if it did."""
    try:
        first, _, rest = (folder / LOCK_NAME).read_text(errors="replace").partition("\n")
    except OSError:
        return None, None
    process = _holder(first)[0]
    return (None, None) if process is None else (process, rest.strip() or None)
