"""Starting an engine in a session of its own and waiting until it says it is ready."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.config import Settings, load_settings, save_settings
from engine.control.folder import LOG_NAME, SETTINGS_NAME, RunFolderError
from engine.control.lock import LATER, engine_alive, tended

READY_SECONDS = 120.0
ENDING_SECONDS = 5.0
_NO_ROOM = 64 << 10
"""Bytes free below which not even the log takes the reason."""


UNUSABLE = 2
"""Exit code of an engine that cannot use its folder or its settings, policy and trainer included."""

_FLAGS = ("-P", "-W", "ignore:resource_tracker")
"""Beside a safe path: a killed engine leaves semaphores, which multiprocessing's tracker clears away.

It says so in the log after the engine's last words, and would be taken for the reason.
"""

_REFUSAL = " ERROR "
"""What stands before the sentence in which an engine says so in its log."""


class LaunchError(RuntimeError):
    """An engine that did not come up; the message ends with the last lines of its log."""


class UnusableError(LaunchError):
    """A run that its engine refused; the message is the engine's own sentence."""


@contextmanager
def changed_settings(folder: Path, settings: Settings) -> Iterator[None]:
    """Give a run other settings for a start inside; it keeps its own where that is refused.

    Raises ConfigError when its own cannot be read, RunFolderError when no engine may start on it.
    """
    before = load_settings(folder / SETTINGS_NAME)
    _check_free(folder)
    save_settings(settings, folder / SETTINGS_NAME)
    try:
        yield
    except (UnusableError, RunFolderError):
        save_settings(before, folder / SETTINGS_NAME)
        raise


def launch(folder: Path, *, timeout: float = READY_SECONDS) -> int:
    """Start the engine of a run folder and return its process id once it is ready.

    The engine gets a session of its own, so it outlives this process, its terminal and SSH.
    Starting it on a folder again goes on where it was. Raises RunFolderError when the folder is
    no run, an engine is on it already or it is being tidied or repaired, UnusableError when the
    engine refuses its settings, LaunchError when it fails or is not ready within `timeout` seconds.
    """
    if not (folder / SETTINGS_NAME).is_file():
        raise RunFolderError(f"{folder}: not a run folder (it holds no {SETTINGS_NAME})")
    _check_free(folder)
    log = folder / LOG_NAME
    log.parent.mkdir(exist_ok=True)
    readable, writable = os.pipe()
    with log.open("ab") as output, os.fdopen(readable, "rb") as ready:
        start = output.tell()
        process = subprocess.Popen(
            [sys.executable, *_FLAGS, "-m", "engine", str(folder), "--ready-fd", str(writable)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[writable],
            start_new_session=True,
        )
        os.close(writable)
        if _says_ready(ready.fileno(), timeout):
            return process.pid
    try:
        # The pipe of an engine that fails closes a moment before its process is gone.
        code = process.wait(ENDING_SECONDS)
        reason = f"ended with exit code {code}"
    except subprocess.TimeoutExpired:
        process.terminate()
        code = None
        reason = f"was not ready within {timeout:.0f} s"
    said = log_tail(log, start)
    if not said and shutil.disk_usage(folder).free < _NO_ROOM:
        said = f"the disk that holds {folder} is full; free some space and start it again"
    if code == UNUSABLE and _REFUSAL in said:
        raise UnusableError(f"{folder.name}: {said.rpartition(_REFUSAL)[2]}")
    raise LaunchError(f"{folder.name}: the engine {reason}\n{said}")


def _check_free(folder: Path) -> None:
    """Raise RunFolderError when an engine, or somebody in passing, holds the folder's lock."""
    if engine_alive(folder):
        raise RunFolderError(f"{folder}: an engine is running already; attach to it instead")
    doing = tended(folder)
    if doing is not None:
        raise RunFolderError(f"{folder}: {doing}; {LATER}")


def _says_ready(descriptor: int, timeout: float) -> bool:
    """Wait for the engine's one byte; an engine that dies closes the pipe without it."""
    deadline = time.monotonic() + timeout
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while (left := deadline - time.monotonic()) > 0:
        if poll.poll(left * 1000):
            return os.read(descriptor, 1) == b"1"
    return False


def log_tail(log: Path, start: int = 0, *, lines: int = 20) -> str:
    """Return the last lines an engine's log has gained from byte `start` on."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - 16384))
            text = file.read().decode(errors="replace")
    except OSError as error:
        return f"(no log: {error.strerror})"
    return "\n".join(text.splitlines()[-lines:])
