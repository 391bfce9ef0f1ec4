"""Runs a command that must not outlive whoever started it: `python leash.py COMMAND…`.

The command gets a process group of its own. When our standard input ends — our parent has closed
it, or is gone however it died — the whole group is told to end, and after GRACE_SECONDS is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

GRACE_SECONDS = 10.0
"""Between telling a process group to end and killing it."""

NOT_FOUND = 127
"""Exit code when the command cannot be started, as a shell has it."""


TAIL_LINES = 20
"""Lines of a command's log that an error shows."""


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command line that runs a command on a leash held by its standard input."""
    # By its path and isolated: it needs nothing but the standard library, and starts at once.
    return [sys.executable, "-I", __file__, *command]


def log_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log, cut to 200 characters each; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 200 * lines))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(line[:200] for line in text.splitlines()[-lines:])


def run(command: Sequence[str]) -> int:
    """Run a command until it or standard input ends; return its exit code (128 + n for signal n).

    Whatever is left of its process group afterwards is killed.
    """
    try:
        child = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        print(f"{command[0]}: cannot be started: {error.strerror}", file=sys.stderr)
        return NOT_FOUND
    signal.signal(signal.SIGTERM, lambda *_: _signal_group(child, signal.SIGTERM))
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    code = child.wait()
    _signal_group(child, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _end_with_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    _signal_group(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    _signal_group(child, signal.SIGKILL)


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
