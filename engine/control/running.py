"""A running engine: the loop, and beside it the heartbeat, the signals and the command rows."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from engine.archive import commands
from engine.archive.reader import RunReader
from engine.archive.rows import Command
from engine.archive.writer import ArchiveWriter
from engine.cluster import AnySandbox
from engine.config import Settings
from engine.control.shots import Shots
from engine.control.state import boot_id
from engine.control.valve import Valve
from engine.learning.embedding_model import check_embedding
from engine.learning.learn import learn
from engine.learning.lesson import Stage, lesson, plan
from engine.learning.trainers.open import open_trainer
from engine.loop import Past, Progress, run_iterations, tasks_at_once
from engine.policies import Policy
from engine.policies.open import first_checkpoint
from engine.programs.evaluate import Evaluator

HEARTBEAT_SECONDS = 1.0
COMMAND_SECONDS = 0.2
_LOADING_SECONDS = 60.0
"""An engine is ready when its policy has loaded, or after so long: it is then loading."""

REMEMBERED = 65_536
"""Evaluations kept in memory, over all tasks that are searched at once: about 75 MB."""
_FEWEST_REMEMBERED = 256

log = logging.getLogger("engine")


def drain(valve: Valve, asked_by: str) -> None:
    """Start no new work from now on, and say in the log who asked for it."""
    log.info("draining, asked by %s", asked_by)
    valve.drain()


class RunningEngine:
    """The loop with what goes on beside it: heartbeat, signals and commands."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Settings,
        reader: RunReader,
        writer: ArchiveWriter,
        valve: Valve,
        sandbox: AnySandbox,
        policy: Policy,
        shots: Shots,
        on_ready: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._valve = valve
        self._sandbox = sandbox
        self._policy = policy
        self._shots = shots
        self._on_ready = on_ready
        self._started = time.time()
        self._stages = plan(settings, len(reader.tasks()), reader.training_tasks())
        # Before hours of search, not after them, a run must know that it can be learned from.
        learns = len(self._stages) > 1 or settings.learn_last
        self._trainer = open_trainer(settings, folder / "logs") if learns else None
        if learns:
            check_embedding(settings)
        self._progress = Progress()
        self._stop = asyncio.Event()

    async def run(self, past: Past) -> bool:
        """Run the loop; return whether it came through (False: drained or stopped)."""
        try:
            async with asyncio.TaskGroup() as beside:
                searching = beside.create_task(self._loop(past))
                others = [
                    beside.create_task(self._keep_beating()),
                    beside.create_task(self._answer()),
                    beside.create_task(self._be_ready_at_last()),
                    beside.create_task(self._stop_on_request(searching)),
                ]
                try:
                    await asyncio.wait([searching])
                finally:
                    for other in others:
                        other.cancel()
            return not searching.cancelled() and searching.result()
        finally:
            self.beat()

    async def _loop(self, past: Past) -> bool:
        at_once = tasks_at_once(self._settings, self._policy.status.capacity)
        evaluator = Evaluator(self._sandbox, max(_FEWEST_REMEMBERED, REMEMBERED // at_once))
        return await run_iterations(
            self._reader.tasks(),
            self._stages,
            self._settings,
            self._policy,
            judge=evaluator,
            memory=self._writer,
            learn=self._learn,
            may_start=self._valve.may_start,
            past=past,
            progress=self._progress,
            start=first_checkpoint(self._settings),
            on_ready=self._be_ready,
        )

    async def _be_ready(self) -> None:
        self.beat()
        await self._writer.flush()
        self._on_ready()

    async def _be_ready_at_last(self) -> None:
        await asyncio.sleep(_LOADING_SECONDS)
        await self._be_ready()

    async def _learn(self, stage: Stage) -> Path | None:
        self._writer.put_event("info", "learn", f"learning from iteration {stage.index + 1}")
        await self._policy.rest()
        learned = await learn(
            lesson(stage, self._stages, self._reader.tasks(), pool=self._settings.learn.pool),
            self._settings,
            self._folder,
            reader=self._reader,
            writer=self._writer,
            trainer=self._trainer,
            base=first_checkpoint(self._settings),
            on_gathered=lambda tasks: self._writer.put_status("gathered", tasks),
        )
        self._shots.look_again()
        if learned is None:
            self._writer.put_event("info", "learn", self._learned_by_example())
        return learned

    def _learned_by_example(self) -> str:
        """Return what learning means for a policy whose weights are not ours to tune."""
        name = self._policy.status.name
        if self._settings.policy.kind == "module":
            return f"{name}: its module has no open_trainer, so it goes on as it is"
        if not self._settings.policy.few_shot:
            return (
                f"{name}: no weights of ours to tune, and policy.few_shot is off: nothing learned"
            )
        skills = self._shots.skills
        shown = f"one of {skills} skills" if skills else "a solved task where it samples"
        return f"{name}: no weights of ours to tune; from now on it is shown {shown}"

    def past(self) -> Past:
        """Read what earlier engines of this folder have done, before the first heartbeat."""
        status = self._reader.statuses().get("engine")
        if status is not None and isinstance(status.value, dict):
            self._progress.iteration = int(status.value["iteration"])
            self._progress.seconds_before = float(status.value["iteration_seconds"])
        return Past(
            ended=[row.index for row in self._reader.iterations() if row.ended is not None],
            checkpoints={
                row.iteration: self._folder / row.path for row in self._reader.checkpoints()
            },
            finished=self._reader.finished,
            pulls=self._reader.replay,
            candidate=self._reader.bare_candidate,
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
                "monotonic": time.monotonic(),
                "boot": boot_id(),
                "paused": self._valve.paused,
                "draining": self._valve.draining,
                "iteration": self._progress.iteration,
                "step": self._progress.step,
                "iteration_seconds": self._progress.seconds,
            },
        )
        status = asdict(policy)
        servers = status.pop("servers")
        self._writer.put_status("policy", status)
        if servers:
            self._writer.put_status("servers", servers)
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
        drain(self._valve, asked_by)

    async def _stop_on_request(self, searching: asyncio.Task[bool]) -> None:
        await self._stop.wait()
        searching.cancel()
