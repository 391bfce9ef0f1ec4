"""What a run is doing, derived from lock, heartbeat and archive; never a stored word."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from engine.archive.reader import RunReader
from engine.control.lock import LOCK_NAME, engine_alive

State: TypeAlias = Literal[
    "new", "running", "paused", "draining", "stalled", "crashed", "stopped", "finished"
]

STALLED_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class RunState:
    """A run's state and why.

    `silent` is how many seconds ago the engine last gave a sign of life (None: it never did, or
    has only just begun); `reason` says what ended a crashed engine, where that is known.
    """

    state: State
    silent: float | None
    reason: str | None = None


def run_state(folder: Path, reader: RunReader, iterations: int) -> RunState:
    """Derive the state of a run that is to have `iterations` iterations.

    running: an engine holds the lock, and its heart beats or it has only just begun · paused,
    draining: its heart beats, and it says so · stalled: the lock is held and no heartbeat for
    STALLED_SECONDS · finished: all iterations are through · stopped: the last engine took its
    leave · crashed: it did not · new: no engine has ever run.
    """
    # The lock is read before the rest: an engine that ends in between has written its farewell.
    alive = engine_alive(folder)
    row = reader.statuses().get("engine")
    status = row.value if row is not None and isinstance(row.value, dict) else {}
    heartbeat = status.get("heartbeat")
    silent = None if heartbeat is None else max(0.0, time.time() - float(heartbeat))
    if alive:
        taken = _lock_taken(folder)
        if heartbeat is None or float(heartbeat) < taken:
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
    last = reader.last_event(kinds=("start", "drained", "finished", "crash"))
    if last is None:
        return RunState("new", silent)
    if last.kind == "finished":
        ended = sum(row.ended is not None for row in reader.iterations())
        return RunState("finished" if ended >= iterations else "stopped", silent)
    if last.kind == "drained":
        return RunState("stopped", silent)
    if last.kind == "crash":
        return RunState("crashed", silent, last.text)
    return RunState("crashed", silent, "its process was killed")


def _lock_taken(folder: Path) -> float:
    """Return when the engine that holds the lock took it (it then writes its process id there)."""
    try:
        return (folder / LOCK_NAME).stat().st_mtime
    except FileNotFoundError:
        return 0.0
