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
_WORD_BYTES = 1024


class EngineRunningError(RunFolderError):
    """Another engine holds the run folder's lock."""


class EngineLock:
    """Holds `engine.lock` of a run folder for as long as it is entered.

    The kernel gives the lock back when the process ends, however it ends. The file holds the
    engine's process id, and below it what `say` was given last. Who holds it `passing`, to keep
    engines off a folder for a while, leaves the last engine's words as they were. Raises
    EngineRunningError when it is taken.
    """

    def __init__(self, folder: Path, *, passing: bool = False) -> None:
        self._path = folder / LOCK_NAME
        self._passing = passing
        self._before = b""
        self._descriptor: int | None = None

    def __enter__(self) -> EngineLock:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _take(descriptor):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").partition("\n")[0]
            os.close(descriptor)
            raise EngineRunningError(
                f"{self._path.parent}: an engine is running already (process {holder or '?'})"
            )
        self._before = os.pread(descriptor, _WORD_BYTES, 0)
        self._descriptor = descriptor
        self._write(f"{os.getpid()}\n".encode())
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
        if self._passing:
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


def engine_alive(folder: Path) -> bool:
    """Whether an engine holds the folder's lock right now."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # A shared probe, so that two watchers never mistake each other for an engine.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def engine_process(folder: Path) -> int | None:
    """Return the process id of the engine that holds the lock, or None when none does."""
    if not engine_alive(folder):
        return None
    return last_words(folder)[0]


def last_words(folder: Path) -> tuple[int | None, str | None]:
    """Return the process id of the last engine, and what it left word of, if it did."""
    try:
        first, _, rest = (folder / LOCK_NAME).read_text(errors="replace").partition("\n")
        return int(first), rest.strip() or None
    except (OSError, ValueError):
        return None, None
