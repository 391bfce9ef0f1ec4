"""Ringing the engine's bell: commands with their answers, starting an engine, making a run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from textual.worker import get_current_worker

from engine.archive import ArchiveError, commands
from engine.archive.catalogue import CatalogueError
from engine.config import ConfigError, Settings
from engine.control import LaunchError, RunFolderError, changed_settings, launch, send

if TYPE_CHECKING:
    from soar_tui.app import SoarApp, Whereabouts

_REPLY_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
T = TypeVar("T")


async def aside(job: Callable[[], T]) -> T:
    """Do what may take long in a thread of its own, for which leaving the app does not wait."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()  # who is gone by its end cannot take that back

    def work() -> None:
        try:
            outcome.set_result(job())
        except Exception as error:  # whatever it is, whoever waits gets it
            outcome.set_exception(error)

    threading.Thread(target=work, name="aside", daemon=True).start()
    return await asyncio.wrap_future(outcome)


def command(app: SoarApp, folder: Path, name: str) -> None:
    """Send a command and tell the engine's answer when it has come."""
    app.run_worker(partial(_send, app, folder, name), thread=True, group="steering")


def _send(app: SoarApp, folder: Path, name: str) -> None:
    try:
        identifier = send(folder, name)
        deadline = time.monotonic() + _REPLY_SECONDS
        worker = get_current_worker()
        while time.monotonic() < deadline and not worker.is_cancelled:
            answer = commands.reply(folder, identifier)
            if answer.answered is not None:
                severity = "warning" if answer.state == "rejected" else "information"
                _tell(app, f"{name}: {answer.reply or answer.state}", severity)
                return
            time.sleep(_LOOK_SECONDS)
    except ArchiveError as error:
        _tell(app, f"{name}: {error}", "error")
        return
    _tell(
        app,
        f"{name}: queued, but the engine has not answered for {_REPLY_SECONDS:.0f} s",
        "warning",
    )


class RefusedError(RuntimeError):
    """Why a run cannot be made; the message is for the user."""


def start(app: SoarApp, folder: Path) -> None:
    """Start a run's engine; when it is ready look at the run, else show its log.

    Who has gone on to something else meanwhile is told, and stays there.
    """
    app.tell(f"starting the engine of {folder.name} …")
    app.run_worker(_launch(app, folder, app.whereabouts), group="steering")


async def make(settings: Settings, name: str | None) -> Path:
    """Make a run folder (`name` None: named by what is searched). Raises RefusedError."""
    return await aside(partial(_make, settings, name))


def _make(settings: Settings, name: str | None) -> Path:
    from engine.arc import TaskFileError
    from soar_tui.checkpoints import CheckpointChoiceError
    from soar_tui.cli.options import starting_from
    from soar_tui.cli.run import make_run

    try:
        return make_run(starting_from(settings, None, from_scratch=False), name)
    except (
        TaskFileError,
        RunFolderError,
        ConfigError,
        CheckpointChoiceError,
        CatalogueError,
        OSError,
    ) as error:
        raise RefusedError(str(error)) from error


def start_new(app: SoarApp, settings: Settings) -> None:
    """Make a run folder, start its engine and look at it."""
    app.tell("starting the engine …")
    app.run_worker(_start_new(app, settings, app.whereabouts), group="steering")


async def _start_new(app: SoarApp, settings: Settings, asked: Whereabouts) -> None:
    try:
        folder = await make(settings, None)
    except RefusedError as error:
        app.tell(str(error), severity="error")
    else:
        await _launch(app, folder, asked)


def go_on(app: SoarApp, folder: Path, settings: Settings) -> None:
    """Give a resting run other settings and start its engine."""
    app.tell(f"starting the engine of {folder.name} …")

    def start(folder: Path) -> None:
        with changed_settings(folder, settings):
            launch(folder)

    app.run_worker(_launch(app, folder, app.whereabouts, start), group="steering")


def choose_checkpoint(app: SoarApp, path: Path | None) -> None:
    """Let new runs of the embedded policy start from a checkpoint, None: the one used before."""
    app.run_worker(partial(_choose_checkpoint, app, path), thread=True, group="steering")


def _choose_checkpoint(app: SoarApp, path: Path | None) -> None:
    from soar_tui.checkpoints import (
        CheckpointChoiceError,
        checkpoint_in_use,
        go_back,
        use_checkpoint,
    )

    try:
        if path is None:
            go_back()
        else:
            use_checkpoint(str(path))
        used = checkpoint_in_use()
    except (CheckpointChoiceError, CatalogueError, RunFolderError, ArchiveError) as error:
        _tell(app, str(error), "error")
    else:
        _tell(app, f"new runs of the embedded policy start from {used or 'scratch'}", "information")
        app.call_from_thread(app.ask)


async def _launch(
    app: SoarApp, folder: Path, asked: Whereabouts, start: Callable[[Path], object] = launch
) -> None:
    try:
        await aside(partial(start, folder))
    except (RunFolderError, ConfigError, OSError) as error:
        app.tell(str(error), severity="error")
    except LaunchError as error:
        app.show_log(str(error))
    else:
        shown = app.engine_ready(folder, asked)
        found = "" if shown else "; 0 lists it, Enter opens it"
        app.tell(f"{folder.name}: its engine is running{found}")


def _tell(app: SoarApp, text: str, severity: str) -> None:
    app.call_from_thread(partial(app.tell, text, severity=severity))
