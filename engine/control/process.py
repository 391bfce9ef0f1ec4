"""The engine's own process: lock, signals, heartbeat, command rows, and the loop in their midst."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from engine.arc import Task
from engine.arc.load import TaskFileError, load_tasks
from engine.archive import commands
from engine.archive.database import ArchiveError
from engine.archive.reader import RunReader
from engine.archive.rows import Command
from engine.archive.writer import ArchiveWriter
from engine.config import ConfigError, Settings, load_settings
from engine.control.folder import SETTINGS_NAME
from engine.control.lock import EngineLock, EngineRunningError
from engine.control.valve import Valve
from engine.loop import Past, Progress, run_iterations
from engine.policies import Policy
from engine.policies.grammar import GrammarPolicy
from engine.programs.evaluate import Evaluator
from engine.programs.sandbox import Sandbox, SandboxError

HEARTBEAT_SECONDS = 1.0
COMMAND_SECONDS = 0.2

FINISHED, FAILED, UNUSABLE, UNFINISHED = 0, 1, 2, 3
"""Exit codes of `python -m engine`: through · crashed · folder or settings unusable · drained."""

log = logging.getLogger("engine")


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
    try:
        settings = load_settings(folder / SETTINGS_NAME)
        with EngineLock(folder):
            return asyncio.run(_serve(folder, settings, ready_fd))
    except (ConfigError, TaskFileError, EngineRunningError, ArchiveError, SandboxError) as error:
        log.error("%s", error)
        return UNUSABLE
    except OSError as error:
        log.error("%s: %s", error.filename or folder, error.strerror)
        return UNUSABLE


async def _serve(folder: Path, settings: Settings, ready_fd: int | None) -> int:
    writer = ArchiveWriter(folder)
    try:
        writer.put_event("info", "start", f"engine {os.getpid()} started")
        try:
            return await _run(folder, settings, writer, ready_fd)
        except Exception as error:
            # Whatever ends the engine must be on record before it is gone.
            reason = _innermost(error)
            log.exception("the engine failed")
            with contextlib.suppress(ArchiveError):
                writer.put_event("error", "crash", f"{type(reason).__name__}: {reason}")
                await writer.flush()
            return FAILED
    finally:
        with contextlib.suppress(ArchiveError):
            await writer.close()


async def _run(
    folder: Path, settings: Settings, writer: ArchiveWriter, ready_fd: int | None
) -> int:
    for command in commands.unanswered(folder):
        commands.reject(folder, command.id, "no engine was running; send it again")
    with RunReader(folder) as reader:
        tasks = reader.tasks() or load_tasks(settings.tasks).tasks
        writer.put_tasks(tasks)
        await writer.flush()
        async with Sandbox(settings.sandbox) as sandbox, GrammarPolicy(settings.policy) as policy:
            await policy.load(
                Path(settings.policy.checkpoint) if settings.policy.checkpoint else None
            )
            valve = Valve(writer.ready)
            engine = _Engine(
                folder,
                settings=settings,
                writer=writer,
                valve=valve,
                sandbox=sandbox,
                policy=policy,
            )
            past = engine.past(reader)
            engine.beat()
            await writer.flush()
            if ready_fd is not None:
                os.write(ready_fd, b"1")
                os.close(ready_fd)
            through = await engine.run(tasks, past)
    reason = "finished" if through else "drained"
    writer.put_event("info", reason, f"engine {os.getpid()} ended: {reason}")
    await writer.flush()
    return FINISHED if through else UNFINISHED


class _Engine:
    """The loop with what goes on beside it: heartbeat, signals and commands."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Settings,
        writer: ArchiveWriter,
        valve: Valve,
        sandbox: Sandbox,
        policy: Policy,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._writer = writer
        self._valve = valve
        self._sandbox = sandbox
        self._policy = policy
        self._started = time.time()
        self._progress = Progress()
        self._stop = asyncio.Event()

    async def run(self, tasks: Sequence[Task], past: Past) -> bool:
        """Run the loop; return whether it came through (False: drained or stopped)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain, signal.Signals(number).name)
        try:
            async with asyncio.TaskGroup() as beside:
                searching = beside.create_task(self._search(tasks, past))
                others = [
                    beside.create_task(self._keep_beating()),
                    beside.create_task(self._answer()),
                    beside.create_task(self._stop_on_request(searching)),
                ]
                try:
                    await asyncio.wait([searching])
                finally:
                    for other in others:
                        other.cancel()
            return not searching.cancelled() and searching.result()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            self.beat()

    async def _search(self, tasks: Sequence[Task], past: Past) -> bool:
        evaluator = Evaluator(self._sandbox)
        return await run_iterations(
            tasks,
            self._settings,
            self._policy,
            judge=evaluator,
            memory=self._writer,
            may_start=self._valve.may_start,
            past=past,
            progress=self._progress,
        )

    def past(self, reader: RunReader) -> Past:
        """Read what earlier engines of this folder have done, before the first heartbeat."""
        status = reader.statuses().get("engine")
        if status is not None and isinstance(status.value, dict):
            self._progress.iteration = int(status.value["iteration"])
            self._progress.seconds_before = float(status.value["iteration_seconds"])
        return Past(
            ended=[row.index for row in reader.iterations() if row.ended is not None],
            finished=reader.finished,
            pulls=lambda iteration, task: {
                pull.number: (pull, candidates)
                for pull, candidates in reader.pulls(iteration, task)
            },
        )

    def beat(self) -> None:
        """Write the status rows that say this engine lives and what it does."""
        policy = self._policy.status
        self._writer.put_status(
            "engine",
            {
                "process": os.getpid(),
                "started": self._started,
                "heartbeat": time.time(),
                "paused": self._valve.paused,
                "draining": self._valve.draining,
                "iteration": self._progress.iteration,
                "iteration_seconds": self._progress.seconds,
            },
        )
        self._writer.put_status("policy", asdict(policy))
        self._writer.put_status("sandbox", asdict(self._sandbox.status))

    async def _keep_beating(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _answer(self) -> None:
        while True:
            for command in commands.poll(self._folder):
                commands.accept(self._folder, command.id)
                try:
                    reply = self._obey(command)
                except ValueError as error:
                    commands.reject(self._folder, command.id, str(error))
                else:
                    commands.finish(self._folder, command.id, reply)
                self.beat()
            await asyncio.sleep(COMMAND_SECONDS)

    def _obey(self, command: Command) -> str:
        match command.name:
            case "pause":
                if self._valve.draining:
                    raise ValueError("the engine is draining; nothing new starts anyway")
                self._valve.pause()
                reply = "paused; pulls under way finish"
            case "resume":
                self._valve.resume()
                reply = "resumed"
            case "drain":
                self._drain("a command")
                reply = "draining; pulls under way finish, then the engine ends"
            case "stop":
                self._stop.set()
                reply = "stopping; pulls under way are dropped"
            case name:
                raise ValueError(f"no command {name!r}: pause, resume, drain, stop")
        self._writer.put_event("info", "command", f"{command.name}: {reply}")
        return reply

    def _drain(self, asked_by: str) -> None:
        log.info("draining, asked by %s", asked_by)
        self._valve.drain()

    async def _stop_on_request(self, searching: asyncio.Task[bool]) -> None:
        await self._stop.wait()
        searching.cancel()


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
