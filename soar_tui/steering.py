"""Ringing the engine's bell: commands with their answers, starting an engine, making a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.worker import get_current_worker

from engine.archive import ArchiveError, commands
from engine.archive.catalogue import CatalogueError
from engine.config import ConfigError, Settings
from engine.control import LaunchError, RunFolderError, changed_settings, launch, send

if TYPE_CHECKING:
    from soar_tui.app import SoarApp, Whereabouts

_REPLY_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05


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


def start(app: SoarApp, folder: Path) -> None:
    """Start a run's engine; when it is ready look at the run, else show its log.

    Who has gone on to something else meanwhile is told, and stays there.
    """
    app.tell(f"starting the engine of {folder.name} …")
    asked = app.whereabouts
    app.run_worker(partial(_launch, app, lambda: folder, asked), thread=True, group="steering")


def start_new(app: SoarApp, settings: Settings, name: str | None) -> None:
    """Make a run folder, start its engine and look at it."""
    app.tell("starting the engine …")

    def make() -> Path:
        from soar_tui.cli.options import starting_from
        from soar_tui.cli.run import make_run

        return make_run(starting_from(settings, None, from_scratch=False), name)

    asked = app.whereabouts
    app.run_worker(partial(_launch, app, make, asked), thread=True, group="steering")


def go_on(app: SoarApp, folder: Path, settings: Settings) -> None:
    """Give a resting run other settings and start its engine."""
    app.tell(f"starting the engine of {folder.name} …")

    def start(folder: Path) -> None:
        with changed_settings(folder, settings):
            launch(folder)

    asked = app.whereabouts
    app.run_worker(
        partial(_launch, app, lambda: folder, asked, start), thread=True, group="steering"
    )


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


def _launch(
    app: SoarApp,
    make: Callable[[], Path],
    asked: Whereabouts,
    start: Callable[[Path], object] = launch,
) -> None:
    from engine.arc import TaskFileError
    from soar_tui.checkpoints import CheckpointChoiceError

    try:
        folder = make()
        start(folder)
    except (
        TaskFileError,
        RunFolderError,
        ConfigError,
        CheckpointChoiceError,
        CatalogueError,
        OSError,
    ) as error:
        _tell(app, str(error), "error")
    except LaunchError as error:
        app.call_from_thread(app.show_log, str(error))
    else:
        shown = app.call_from_thread(partial(app.engine_ready, folder, asked))
        found = "" if shown else "; 0 lists it, Enter opens it"
        _tell(app, f"{folder.name}: its engine is running{found}", "information")


def _tell(app: SoarApp, text: str, severity: str) -> None:
    app.call_from_thread(partial(app.tell, text, severity=severity))
