"""What a run is doing, derived from lock, heartbeat and archive; never a stored word."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from engine.archive.reader import RunReader
from engine.control.lock import LOCK_NAME, engine_alive, last_words, tended

State: TypeAlias = Literal[
    "new", "running", "paused", "draining", "stalled", "crashed", "stopped", "finished"
]

STALLED_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class RunState:
    """A run's state and why.

    `silent` is how many seconds ago the engine last gave a sign of life (None: it never did, or
    has only just begun); `reason` says what ended a crashed engine, where that is known, and what
    is being done to a resting run that keeps engines off it.
    """

    state: State
    silent: float | None
    reason: str | None = None


def run_state(folder: Path, reader: RunReader, iterations: int) -> RunState:
    """Derive the state of a run that is to have `iterations` iterations.

    running: an engine holds the lock, and its heart beats or it has only just begun · paused,
    draining: its heart beats, and it says so · stalled: the lock is held and no heartbeat for
    STALLED_SECONDS · finished: all iterations are through · stopped: the last engine took its
    leave · crashed: it did not · new: no engine has ever run. A run that is being tidied or
    repaired is what its last engine left.
    """
    # The lock is read before the rest: an engine that ends in between has written its farewell.
    alive = engine_alive(folder)
    row = reader.statuses().get("engine")
    status = row.value if row is not None and isinstance(row.value, dict) else {}
    heartbeat = status.get("heartbeat")
    silent = None if heartbeat is None else _silent(status)
    if alive:
        taken = _lock_taken(folder)
        own = status.get("process") == last_words(folder)[0]
        if heartbeat is None or (float(heartbeat) < taken and not own):
            # What an engine before this one said of itself is no word of this one's.
            waited = max(0.0, time.time() - taken)
            if waited > STALLED_SECONDS:
                return RunState("stalled", waited)
            return RunState("running", None)
        if silent is None or silent > STALLED_SECONDS:
            return RunState("stalled", silent)
        if status.get("draining"):
            return RunState("draining", silent)
        return RunState("paused" if status.get("paused") else "running", silent)
    resting = _resting(folder, reader, iterations, silent)
    doing = tended(folder)
    if doing is None:
        return resting
    reason = doing if resting.reason is None else f"{resting.reason}; {doing}"
    return replace(resting, reason=reason)


def _resting(folder: Path, reader: RunReader, iterations: int, silent: float | None) -> RunState:
    """Derive the state of a run that no engine is on."""
    last = reader.last_event(kinds=("start", "drained", "finished", "crash"))
    process, reason = last_words(folder)
    if last is None:
        return RunState("new" if reason is None else "crashed", silent, reason)
    if reason is not None and last.kind != "crash" and f"engine {process} " not in last.text:
        # An engine after that one could not even write that it had started.
        return RunState("crashed", silent, reason)
    if last.kind == "finished":
        ended = sum(row.ended is not None for row in reader.iterations())
        return RunState("finished" if ended >= iterations else "stopped", silent)
    if last.kind == "drained":
        return RunState("stopped", silent)
    if last.kind == "crash":
        return RunState("crashed", silent, last.text)
    return RunState("crashed", silent, reason or "its process was killed")


def _silent(status: Mapping[str, Any]) -> float:
    """Return the seconds since the last heartbeat, by a clock that nobody sets where there is one.

    Wall clocks jump. Within one boot of one machine the monotonic clock is the same for all.
    """
    if status.get("boot") == boot_id() and status.get("monotonic") is not None:
        return max(0.0, time.monotonic() - float(status["monotonic"]))
    return max(0.0, time.time() - float(status["heartbeat"]))


@cache
def boot_id() -> str | None:
    """Return what names this boot of this machine, or None where the system has no such name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def _lock_taken(folder: Path) -> float:
    """Return when the engine that holds the lock took it (it then writes its process id there)."""
    try:
        return (folder / LOCK_NAME).stat().st_mtime
    except FileNotFoundError:
        return 0.0
