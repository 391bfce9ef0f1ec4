"""The engine's own process: lock, signals, heartbeat, command rows, and the loop in their midst."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from engine.arc.load import TaskFileError
from engine.archive import ArchiveError, commands
from engine.archive.reader import RunReader
from engine.archive.writer import ArchiveWriter
from engine.cluster import ClusterError, open_workers
from engine.config import ConfigError, Settings, load_settings
from engine.control.allocation import give_memory_back
from engine.control.folder import SETTINGS_NAME
from engine.control.launch import UNUSABLE
from engine.control.lock import EngineLock, EngineRunningError
from engine.control.running import RunningEngine, drain
from engine.control.shots import Shots
from engine.control.tasks import run_tasks
from engine.control.valve import Valve
from engine.learning.trainers.protocol import TrainingError
from engine.policies import PolicyError
from engine.programs.sandbox import SandboxError

FINISHED, FAILED, UNFINISHED = 0, 1, 3
"""Exit codes of `python -m engine`, with UNUSABLE: through · crashed · drained."""

log = logging.getLogger("engine")


_REFUSALS = (
    ArchiveError,
    ClusterError,
    ConfigError,
    EngineRunningError,
    PolicyError,
    SandboxError,
    TaskFileError,
    TrainingError,
)
"""Errors whose message says all; a trace would hide it."""


def serve(folder: Path, *, ready_fd: int | None = None) -> int:
    """Run the folder's engine until its iterations are through or it is told to end.

    SIGTERM and SIGINT drain: pulls under way finish and are archived, nothing new starts. SIGHUP
    is ignored. Returns FINISHED, FAILED, UNUSABLE or UNFINISHED; what went wrong is in the log
    and, where there is an archive, in its last event.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    give_memory_back()
    try:
        settings = load_settings(folder / SETTINGS_NAME)
        with EngineLock(folder) as lock:
            try:
                return asyncio.run(_serve(folder, settings, ready_fd, lock))
            except (*_REFUSALS, OSError) as error:
                lock.say(_sentence(error))
                raise
    except _REFUSALS as error:
        log.error("%s", error)
        return UNUSABLE
    except OSError as error:
        log.error("%s: %s", error.filename or folder, error.strerror)
        return UNUSABLE


async def _serve(folder: Path, settings: Settings, ready_fd: int | None, lock: EngineLock) -> int:
    writer = ArchiveWriter(folder)
    ready = False

    def on_ready() -> None:
        nonlocal ready
        if ready_fd is not None and not ready:
            with contextlib.suppress(BrokenPipeError):  # whoever launched it may be gone by now
                os.write(ready_fd, b"1")
            os.close(ready_fd)
        ready = True

    try:
        writer.put_event("info", "start", f"engine {os.getpid()} started")
        try:
            return await _run(folder, settings, writer, on_ready)
        except Exception as error:
            # Whatever ends the engine must be on record before it is gone.
            reason = _innermost(error)
            lock.say(_sentence(reason))
            refused = isinstance(reason, _REFUSALS)
            if refused:
                log.error("%s", reason)
            else:
                log.exception("the engine failed")
            with contextlib.suppress(ArchiveError):
                writer.put_event("error", "crash", _sentence(reason))
                await writer.flush()
            return UNUSABLE if refused and not ready else FAILED
    finally:
        with contextlib.suppress(ArchiveError):
            await writer.close()


async def _run(
    folder: Path, settings: Settings, writer: ArchiveWriter, on_ready: Callable[[], None]
) -> int:
    valve = Valve(writer.ready)
    # From before it is ready until it is gone: a signal in between must not look like a crash.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, drain, valve, number.name)
    for command in commands.unanswered(folder):
        commands.reject(folder, command.id, "no engine was running; send it again")
    with RunReader(folder) as reader:
        if not reader.tasks():
            tasks, training = run_tasks(settings)
            writer.put_tasks(tasks, training)
            await writer.flush()
        shots = Shots(reader, folder)
        async with open_workers(settings, folder / "logs", shots) as (sandbox, policy):
            engine = RunningEngine(
                folder,
                settings=settings,
                reader=reader,
                writer=writer,
                valve=valve,
                sandbox=sandbox,
                policy=policy,
                shots=shots,
                on_ready=on_ready,
            )
            through = await engine.run(engine.past())
    reason = "finished" if through else "drained"
    writer.put_event("info", reason, f"engine {os.getpid()} ended: {reason}")
    await writer.flush()
    return FINISHED if through else UNFINISHED


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
